"""From what a scorer saw of one video to every score of its timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from metrics.evaluator import ClipInfo
from metrics.timeline.alignment import Alignment, align
from metrics.timeline.layout import (
    FloatArray,
    Intervals,
    Layout,
    action_classes,
    rescaled,
    snapped,
    window_width,
)
from metrics.timeline.model import Event
from metrics.timeline.sampling import segment_members, window_members
from metrics.timeline.scorer import Footage, TextVideoScorer, stretch_means


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
    """

    layout: Layout
    alignment: Alignment
    stretched: Alignment
    similarity: FloatArray
    contrast: FloatArray
    presence: FloatArray
    pairs: FloatArray


def judge(
    footage: Footage,
    events: Sequence[Event],
    clip: ClipInfo,
    scorer: TextVideoScorer,
    *,
    neutral: str | None,
    reach: float,
) -> Judgement:
    """Score the footage of one video.

    Args:
        footage: at least one frame.
        events: at least one, by start.
        clip: the video.
        scorer: what made the footage.
        neutral: a text without an action, or None.
        reach: a window without a frame takes one that is no further away, in seconds.
    """
    texts = [event.description for event in events]
    given = tuple((event.start, event.end) for event in events)
    classes = action_classes(texts, scorer.text_cosines(texts))
    times = np.array([clip.times[i] for i in footage.indices])
    own = _View(footage, clip, times, classes, texts, neutral, reach)
    intervals = snapped(given, duration=clip.duration, fps=clip.fps)
    layout, windows, similarity, base = own.over(intervals)
    other, _, *rows = own.over(rescaled(given, duration=clip.duration))
    segments = segment_members(times, intervals, layout.mask, windows)
    presence = footage.similarity(segments, texts)[np.arange(len(texts)), np.arange(len(texts))]
    return Judgement(
        layout=layout,
        alignment=align(similarity, base, layout),
        stretched=align(rows[0], rows[1], other),
        similarity=similarity,
        contrast=similarity - base,
        presence=presence,
        pairs=_pairs(footage, segments),
    )


@dataclass(frozen=True)
class _View:
    footage: Footage
    clip: ClipInfo
    times: FloatArray
    classes: tuple[int, ...]
    texts: Sequence[str]
    neutral: str | None
    reach: float

    def over(self, intervals: Intervals) -> tuple[Layout, Sequence[tuple[int, ...]], FloatArray, FloatArray]:
        """The grid for these intervals, its windows, their similarities to texts and neutral text."""
        span = max(self.clip.duration, *(end for _, end in intervals))
        windows = window_members(
            self.times,
            span=span,
            duration=self.clip.duration,
            width=window_width(intervals),
            reach=self.reach,
        )
        layout = Layout(
            intervals=intervals,
            classes=self.classes,
            span=span,
            present=tuple(bool(members) for members in windows),
        )
        rows = self.footage.similarity(windows, self.texts)
        if self.neutral is None:
            return layout, windows, rows, np.zeros(len(windows))
        return layout, windows, rows, self.footage.similarity(windows, [self.neutral])[0]


def _pairs(footage: Footage, segments: Sequence[tuple[int, ...]]) -> FloatArray:
    """Cosines of the mean features of every two stretches that have frames."""
    filled = [members for members in segments if members]
    if len(segments) == 1 and len(filled) == 1 and len(filled[0]) > 1:
        middle = len(filled[0]) // 2
        filled = [filled[0][:middle], filled[0][middle:]]
    means = stretch_means(footage.features, filled)
    first, second = np.triu_indices(len(filled), k=1)
    products: FloatArray = (means[first] * means[second]).sum(axis=1)
    return np.clip(products, -1.0, 1.0)
