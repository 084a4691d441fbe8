"""From what a scorer saw of one video to every score of its timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ipvg_eval.core.measurement import ClipInfo
from ipvg_eval.core.timeline.model import Event
from ipvg_eval.metrics.evaluator import NOT_FINITE
from ipvg_eval.metrics.timeline.alignment import Alignment, align
from ipvg_eval.metrics.timeline.layout import (
    BoolArray,
    FloatArray,
    Intervals,
    Layout,
    action_classes,
    cell_centres,
    cell_edges,
    rescaled,
    snapped,
    window_width,
)
from ipvg_eval.metrics.timeline.sampling import Samples, stretch_weights
from ipvg_eval.metrics.timeline.scorer import Footage, TextVideoScorer, stretch_means

FROZEN = 0.9995
"""Cosine of every window with the video's mean from which on the video counts as frozen."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Judgement:
    """One video against its timeline.

    Attributes:
        layout: the prompted events on the grid, with the timeline's own times.
        alignment: scores with the timeline's own times.
        stretched: scores with the timeline stretched to the video's length.
        similarity: (K, J) cosines of windows and texts; NaN where the video shows nothing.
        contrast: (K, J) the same less the neutral text's.
        presence: (K,) cosine of each event's stretch and text; NaN where the video does not reach it.
        pairs: cosines of the mean features of every two events; of the only event's halves where there is
            one.
        frozen: whether the video does not change; its similarities are then their means over time, since
            what is left is the compression's noise.
    """

    layout: Layout
    alignment: Alignment
    stretched: Alignment
    similarity: FloatArray
    contrast: FloatArray
    presence: FloatArray
    pairs: FloatArray
    frozen: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """What is judged.

    Attributes:
        footage: what the scorer saw; at least one frame.
        events: at least one, by start.
        clip: the video.
        samples: the moments that were looked at.
        scorer: what made the footage.
        neutral: a text without an action, or None.
    """

    footage: Footage
    events: Sequence[Event]
    clip: ClipInfo
    samples: Samples
    scorer: TextVideoScorer
    neutral: str | None

    @property
    def texts(self) -> list[str]:
        """The actions."""
        return [event.description for event in self.events]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Grid:
    layout: Layout
    similarity: FloatArray
    neutral: FloatArray
    frozen: bool

    @property
    def finite(self) -> bool:
        there = self.layout.there
        return bool(np.isfinite(self.similarity[:, there]).all() and np.isfinite(self.neutral[there]).all())

    def aligned(self) -> Alignment:
        return align(self.similarity, self.neutral, self.layout)


def judge(case: Case) -> Judgement | str:
    """Score the footage of one video, or say in plain words why it cannot be scored."""
    given = tuple((event.start, event.end) for event in case.events)
    classes = action_classes(case.texts, case.scorer.text_cosines(case.texts))
    own = _grid(case, snapped(given, duration=case.clip.duration, fps=case.clip.fps), classes)
    stretched = _grid(case, rescaled(given, duration=case.clip.duration), classes)
    if not (own.layout.there.any() and stretched.layout.there.any()):
        return "the video is too short for its timeline"
    if not (own.finite and stretched.finite):
        return NOT_FINITE
    segments = _weights(case, *np.array(own.layout.intervals).T)
    presence = np.diagonal(case.footage.similarity(segments, case.texts))
    return Judgement(
        layout=own.layout,
        alignment=own.aligned(),
        stretched=stretched.aligned(),
        similarity=own.similarity,
        contrast=own.similarity - own.neutral,
        presence=presence,
        pairs=_pairs(case, own.layout.intervals, segments),
        frozen=own.frozen,
    )


def _weights(case: Case, starts: FloatArray, ends: FloatArray) -> FloatArray:
    return stretch_weights(starts, ends, case.samples, case.footage.indices)


def _grid(case: Case, intervals: Intervals, classes: tuple[int, ...]) -> _Grid:
    """Similarities over sliding windows; those centred behind the video's end are empty."""
    duration = case.clip.duration
    span = max(duration, *(end for _, end in intervals))
    centres = cell_centres(cell_edges(span))
    half = window_width(intervals) / 2.0
    weights = _weights(case, centres - half, centres + half)
    weights[centres >= duration] = 0.0
    there: BoolArray = np.asarray(weights.any(axis=1), dtype=np.bool_)
    similarity = case.footage.similarity(weights, case.texts)
    neutral = np.zeros(len(centres))
    if case.neutral is not None:
        neutral = case.footage.similarity(weights, [case.neutral])[0]
    frozen = _is_frozen(stretch_means(case.footage.features, weights[there]))
    if frozen:
        similarity = np.where(there, similarity[:, there].mean(axis=1, keepdims=True), np.nan)
        neutral = np.where(there, neutral[there].mean(), np.nan)
    return _Grid(
        layout=Layout(
            intervals=intervals,
            classes=classes,
            span=span,
            present=_as_tuple(there),
        ),
        similarity=similarity,
        neutral=neutral,
        frozen=frozen,
    )


def _as_tuple(there: BoolArray) -> tuple[bool, ...]:
    return tuple(bool(filled) for filled in there)


def _is_frozen(means: FloatArray) -> bool:
    if len(means) < 2:
        return False
    middle = means.mean(axis=0)
    return bool((means @ middle / np.linalg.norm(middle)).min() >= FROZEN)


def _pairs(case: Case, intervals: Intervals, segments: FloatArray) -> FloatArray:
    """Cosines of the mean features of every two stretches that have frames."""
    if len(intervals) == 1:
        start, end = intervals[0]
        middle = (start + min(end, case.clip.duration)) / 2.0
        segments = _weights(case, np.array([start, middle]), np.array([middle, end]))
    means = stretch_means(case.footage.features, segments[segments.any(axis=1)])
    first, second = np.triu_indices(len(means), k=1)
    products: FloatArray = means @ means.T
    return np.clip(products[first, second], -1.0, 1.0)
