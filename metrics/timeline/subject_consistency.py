"""CON: does one subject, or one scene, do all that the timeline says?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ipvg_eval.metrics.similarity import unit_rows
from ipvg_eval.metrics.subject.appearances import Appearances
from ipvg_eval.metrics.timeline.alignment.event_grid import BoolArray, FloatArray, Intervals

_TOO_FEW = "the subjects are found in fewer than two events"


@dataclass(frozen=True, kw_only=True)
class Consistency:
    """How alike a video's features are between events.

    Attributes:
        mean: mean over pairs of events of the cosine, at least 0, times coverage; None without a pair.
        least: the same for the least similar pair.
        reason: why there is none, None exactly where there is.
        note: what the features are of.
    """

    mean: float | None
    least: float | None
    reason: str | None
    note: str


def pair_consistency(pairs: FloatArray, coverage: float, *, reason: str, note: str) -> Consistency:
    """From the cosines of pairs of events.

    Args:
        pairs: (n,) in [-1, 1].
        coverage: 0..1, what the cosines are multiplied by.
        reason: why there is no pair, where there is none.
        note: what the features are of.
    """
    if not len(pairs):
        return Consistency(mean=None, least=None, reason=reason, note=note)
    mean, least = (float(np.clip(value, 0.0, 1.0)) * coverage for value in (pairs.mean(), pairs.min()))
    return Consistency(mean=mean, least=least, reason=None, note=note)


def crop_consistency(
    appearances: Appearances, intervals: Intervals, times: Sequence[float], duration: float
) -> Consistency:
    """From the crops in which subjects were found; a pair compares one subject in two events.

    Coverage is the share of frames and subjects, within the events, in which the subject was found. Events
    in which a subject is never found form no pair; without any pair the value is 0, since hiding a subject
    must not pay.

    Args:
        appearances: of the subjects in the frames that were looked at.
        intervals: the events, [start, end) in seconds; the two halves of a single one are compared.
        times: presentation times of the looked-at frames in seconds, ascending.
        duration: of the video in seconds.
    """
    if len(intervals) == 1:
        start, end = intervals[0]
        middle = (start + min(end, duration)) / 2.0
        intervals = ((start, middle), (middle, end))
    at = np.asarray(times)
    segments: list[BoolArray] = [np.asarray((start <= at) & (at < end)) for start, end in intervals]
    note = appearances.note
    if sum(bool(segment.any()) for segment in segments) < 2:
        return Consistency(mean=None, least=None, reason="fewer than two events were reached", note=note)
    rows = np.asarray(appearances.rows, dtype=np.float64)
    there: BoolArray = np.asarray(np.isfinite(rows).all(axis=2))
    inside: BoolArray = np.asarray(np.any(segments, axis=0))
    coverage = float(there[inside].mean())
    cosines = [
        pair
        for subject in range(rows.shape[1])
        for pair in _pairs([rows[segment & there[:, subject], subject] for segment in segments])
    ]
    if not cosines:
        return Consistency(mean=0.0, least=0.0, reason=None, note=f"{_TOO_FEW}; {note}")
    found = f"{note}, found in {coverage:.0%} of the events' frames" if appearances.detected else note
    return pair_consistency(np.array(cosines), coverage, reason="", note=found)


def _pairs(segments: Sequence[FloatArray]) -> list[float]:
    """Cosines of the mean rows of every two segments that have any."""
    means = [unit_rows(unit_rows(rows).mean(axis=0, keepdims=True))[0] for rows in segments if len(rows)]
    if len(means) < 2:
        return []
    stacked = np.stack(means)
    first, second = np.triu_indices(len(stacked), k=1)
    return [float(value) for value in (stacked @ stacked.T)[first, second]]
