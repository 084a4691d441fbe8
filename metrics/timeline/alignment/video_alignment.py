"""From what a scorer saw of one video to every score of its timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ipvg_eval.core.measurement import ClipInfo
from ipvg_eval.core.timeline.model import Event
from ipvg_eval.metrics.evaluator import NOT_FINITE
from ipvg_eval.metrics.timeline.alignment.distractor_contrast import (
    all_others,
    distractor_shares,
    timeline_place,
    two_sided_presence,
)
from ipvg_eval.metrics.timeline.alignment.event_grid import (
    BoolArray,
    EventGrid,
    FloatArray,
    Intervals,
    action_classes,
    cell_centres,
    cell_edges,
    rescaled,
    snapped,
    window_width,
)
from ipvg_eval.metrics.timeline.alignment.permuted_timing import permuted_timing
from ipvg_eval.metrics.timeline.alignment.scores import AlignmentScores, align
from ipvg_eval.metrics.timeline.frame_sampling import Samples, stretch_weights
from ipvg_eval.metrics.timeline.scorers.text_video_scorer import Footage, TextVideoScorer, stretch_means

FROZEN = 0.9995
"""Cosine of every window with the video's mean from which on the video counts as frozen."""


@dataclass(frozen=True, kw_only=True, eq=False)
class VideoAlignment:
    """One video against its timeline.

    Attributes:
        grid: the prompted events at the timeline's own times.
        scores: how well they are kept to.
        stretched: the same with the timeline stretched to the video's length.
        similarity: (K, J) cosines of windows and texts; NaN where the video shows nothing.
        contrast: (K, J) the same less the neutral text's.
        presence: (K,) cosine of each event's stretch and text; NaN where the video does not reach it.
        pairs: cosines of the mean features of every two events; of the only event's halves where there is
            one.
        frozen: whether the video does not change; `similarity`, `contrast` and the scores are then made of
            means over time, since what is left is the compression's noise.
        two_sided: what is compared with other orders and other actions; None where nobody asked.
    """

    grid: EventGrid
    scores: AlignmentScores
    stretched: AlignmentScores
    similarity: FloatArray
    contrast: FloatArray
    presence: FloatArray
    pairs: FloatArray
    frozen: bool
    two_sided: TwoSided | None


@dataclass(frozen=True, kw_only=True, eq=False)
class TwoSided:
    """One video against its timeline, and against what was not asked for.

    A video that does not change is treated like any other: what is left of it is noise, which scores 0.

    Attributes:
        tim: of the timeline's own times; None for a single action.
        tim_rescaled: with the timeline stretched to the video's length.
        presence: (K,) SEM of each event by the scorer's cosines; NaN where the video does not reach it or
        there
            is no distractor.
        p: place of the timeline among random ones; None without a distractor or without contrast.
        contrast: (n, J) cosines of windows and distractors less the neutral text's; NaN where the video
            shows nothing.
    """

    tim: float | None
    tim_rescaled: float | None
    presence: FloatArray
    p: float | None
    contrast: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class AlignmentInputs:
    """What a video's alignment is computed from.

    Attributes:
        footage: what the scorer saw; at least one frame.
        events: at least one, by start.
        clip: the video.
        samples: the moments that were looked at.
        scorer: what made the footage.
        neutral: a text without an action, or None.
        distractors: actions nobody asked for; None where only the prompted ones are looked for.
    """

    footage: Footage
    events: Sequence[Event]
    clip: ClipInfo
    samples: Samples
    scorer: TextVideoScorer
    neutral: str | None
    distractors: tuple[str, ...] | None

    @property
    def texts(self) -> list[str]:
        """The actions."""
        return [event.description for event in self.events]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Similarities:
    grid: EventGrid
    weights: FloatArray
    seen: FloatArray
    seen_neutral: FloatArray
    frozen: bool

    @property
    def similarity(self) -> FloatArray:
        return self._still(self.seen)

    @property
    def neutral(self) -> FloatArray:
        return self._still(self.seen_neutral)

    @property
    def finite(self) -> bool:
        there = self.grid.there
        return bool(np.isfinite(self.seen[:, there]).all() and np.isfinite(self.seen_neutral[there]).all())

    def aligned(self) -> AlignmentScores:
        return align(self.similarity, self.neutral, self.grid)

    def timing(self) -> float | None:
        return permuted_timing(self.seen, self.seen_neutral, self.grid)

    def _still(self, rows: FloatArray) -> FloatArray:
        if not self.frozen:
            return rows
        there = self.grid.there
        return np.where(there, rows[..., there].mean(axis=-1, keepdims=True), np.nan)


def align_video(inputs: AlignmentInputs) -> VideoAlignment | str:
    """Score the footage of one video, or say in plain words why it cannot be scored."""
    given = tuple((event.start, event.end) for event in inputs.events)
    classes = action_classes(inputs.texts, inputs.scorer.text_cosines(inputs.texts))
    own = _similarities(inputs, snapped(given, duration=inputs.clip.duration, fps=inputs.clip.fps), classes)
    stretched = _similarities(inputs, rescaled(given, duration=inputs.clip.duration), classes)
    if not (own.grid.there.any() and stretched.grid.there.any()):
        return "the video is too short for its timeline"
    if not (own.finite and stretched.finite):
        return NOT_FINITE
    segments = _weights(inputs, *np.array(own.grid.intervals).T)
    own_cosines = inputs.footage.similarity(segments, inputs.texts)
    return VideoAlignment(
        grid=own.grid,
        scores=own.aligned(),
        stretched=stretched.aligned(),
        similarity=own.similarity,
        contrast=own.similarity - own.neutral,
        presence=np.diagonal(own_cosines),
        pairs=_pairs(inputs, own.grid.intervals, segments),
        frozen=own.frozen,
        two_sided=_two_sided(inputs, own, stretched, segments, own_cosines),
    )


def _two_sided(
    inputs: AlignmentInputs,
    own: _Similarities,
    stretched: _Similarities,
    segments: FloatArray,
    own_cosines: FloatArray,
) -> TwoSided | None:
    if inputs.distractors is None:
        return None
    texts, grid = inputs.distractors, own.grid
    windows, rows = np.empty((0, len(own.weights))), np.empty((0, len(segments)))
    if texts:
        windows = inputs.footage.similarity(own.weights, texts)
        rows = inputs.footage.similarity(segments, texts)
    if inputs.neutral is not None:
        rows = np.concatenate([rows, inputs.footage.similarity(segments, [inputs.neutral])])
    shares = distractor_shares(np.diagonal(own_cosines), all_others(rows, own_cosines, grid.classes))
    return TwoSided(
        tim=own.timing(),
        tim_rescaled=stretched.timing(),
        presence=two_sided_presence(shares),
        p=timeline_place(own.seen, windows, grid),
        contrast=windows - own.seen_neutral,
    )


def _weights(inputs: AlignmentInputs, starts: FloatArray, ends: FloatArray) -> FloatArray:
    return stretch_weights(starts, ends, inputs.samples, inputs.footage.indices)


def _similarities(inputs: AlignmentInputs, intervals: Intervals, classes: tuple[int, ...]) -> _Similarities:
    """Similarities over sliding windows; those centred behind the video's end are empty."""
    duration = inputs.clip.duration
    span = max(duration, *(end for _, end in intervals))
    centres = cell_centres(cell_edges(span))
    half = window_width(intervals) / 2.0
    weights = _weights(inputs, centres - half, centres + half)
    weights[centres >= duration] = 0.0
    there: BoolArray = np.asarray(weights.any(axis=1), dtype=np.bool_)
    similarity = inputs.footage.similarity(weights, inputs.texts)
    neutral = np.zeros(len(centres))
    if inputs.neutral is not None:
        neutral = inputs.footage.similarity(weights, [inputs.neutral])[0]
    frozen = _is_frozen(stretch_means(inputs.footage.features, weights[there]))
    return _Similarities(
        grid=EventGrid(
            intervals=intervals,
            classes=classes,
            span=span,
            present=_as_tuple(there),
        ),
        weights=weights,
        seen=similarity,
        seen_neutral=neutral,
        frozen=frozen,
    )


def _as_tuple(there: BoolArray) -> tuple[bool, ...]:
    return tuple(bool(filled) for filled in there)


def _is_frozen(means: FloatArray) -> bool:
    if len(means) < 2:
        return False
    middle = means.mean(axis=0)
    return bool((means @ middle / np.linalg.norm(middle)).min() >= FROZEN)


def _pairs(inputs: AlignmentInputs, intervals: Intervals, segments: FloatArray) -> FloatArray:
    """Cosines of the mean features of every two stretches that have frames."""
    if len(intervals) == 1:
        start, end = intervals[0]
        middle = (start + min(end, inputs.clip.duration)) / 2.0
        segments = _weights(inputs, np.array([start, middle]), np.array([middle, end]))
    means = stretch_means(inputs.footage.features, segments[segments.any(axis=1)])
    first, second = np.triu_indices(len(means), k=1)
    products: FloatArray = means @ means.T
    return np.clip(products[first, second], -1.0, 1.0)
