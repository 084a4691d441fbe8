"""Is the right action shown at the right time? Compared within a video, on the double-centred matrix.

All functions take Z of `double_centred`, one row per action, and only look at windows the video has.
"""

from __future__ import annotations

import numpy as np

from ipvg_eval.metrics.timeline.alignment.event_grid import STRIDE, EventGrid, FloatArray

_FLOAT32_NOISE = 1e-6


def noise_floor(similarity: FloatArray) -> float:
    """The difference below which two similarities count as equal: what float32 networks round away."""
    return _FLOAT32_NOISE * float(np.abs(similarity).max(initial=0.0))


def double_centred(similarity: FloatArray) -> FloatArray:
    """Z = M - row mean - column mean + grand mean; unchanged by any offset per text and per window.

    Args:
        similarity: (classes, J), M.

    Returns:
        (classes, J) float64; its rows and columns sum to 0.
    """
    rows, columns = similarity.mean(axis=1, keepdims=True), similarity.mean(axis=0, keepdims=True)
    return np.asarray(similarity - rows - columns + similarity.mean(), dtype=np.float64)


def label_credit(z: FloatArray, grid: EventGrid, tie: float) -> FloatArray:
    """For each labelled window the share of the best texts whose action is prompted there.

    Args:
        z: (classes, J).
        grid: the prompted events.
        tie: difference that still counts as equal.

    Returns:
        (J,): 0 to 1; NaN for windows without a label; 0 for labelled ones that the video lacks.
    """
    winners = z >= z.max(axis=0, keepdims=True) - tie
    credit = (winners & grid.class_mask).sum(axis=0) / winners.sum(axis=0)
    credit = np.where(grid.there, credit, 0.0)
    return np.where(grid.class_mask.any(axis=0), credit, np.nan)


def recall_at_1(z: FloatArray, grid: EventGrid, tie: float) -> float:
    """Share of events whose text fits their own segment best; ties share the credit.

    Segments of one action count as each other's own. A segment the video lacks is found by no text.

    Args:
        z: (classes, J).
        grid: the prompted events.
        tie: difference that still counts as equal.
    """
    shown = grid.mask & grid.there
    sizes = shown.sum(axis=1)
    means = np.where(sizes > 0, (z @ shown.T.astype(np.float64)) / np.maximum(sizes, 1), -np.inf)
    classes = np.array(grid.classes)
    scores = means[classes]
    winners = np.isfinite(scores) & (scores >= scores.max(axis=1, keepdims=True) - tie)
    own = classes[:, None] == classes[None, :]
    credit = (winners & own).sum(axis=1) / np.maximum(winners.sum(axis=1), 1)
    return float(credit.mean())


def lag(z: FloatArray, grid: EventGrid, tie: float) -> float | None:
    """How much later than prompted the actions come, in seconds; negative where they come earlier.

    The shift of the prompted mask, in strides and by at most half the grid, whose double-centred
    form correlates best with Z. What leaves the grid is held at its border. None if no shift
    correlates positively.
    """
    if float(np.abs(z).max(initial=0.0)) <= tie:
        return None
    cells = np.flatnonzero(grid.there)
    count, reach = grid.class_mask.shape[1], grid.class_mask.shape[1] // 2
    best, best_shift = 1e-9, None
    for shift in sorted(range(-reach, reach + 1), key=abs):
        moved = grid.class_mask[:, np.clip(np.arange(count) - shift, 0, count - 1)]
        wanted = double_centred(moved[:, cells].astype(np.float64))
        norm = float(np.linalg.norm(wanted))
        correlation = float((wanted * z[:, cells]).sum()) / norm if norm > tie else 0.0
        if correlation > best * (1.0 + 1e-9):
            best, best_shift = correlation, shift
    return None if best_shift is None else best_shift * STRIDE
