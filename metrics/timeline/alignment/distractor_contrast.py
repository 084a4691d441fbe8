"""SEM and success: does the video show what was asked for more than what nobody asked for?"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ipvg_eval.metrics.timeline.alignment.discrimination import noise_floor
from ipvg_eval.metrics.timeline.alignment.event_grid import EventGrid, FloatArray

DRAWS = 199
SEED = 20260103

SUCCESS_P = 0.05
"""Place among random timelines up to which a sample is a success."""

FEWEST_TIMELINES = round(1 / SUCCESS_P) - 1
"""With fewer random timelines, the best place by chance alone is above 5 %."""

ALL_BUT = 0.95
"""Share of distractors that an action must beat to count as present."""

_FLOAT_TIE = 1e-6


def distractor_shares(own: FloatArray, others: FloatArray) -> FloatArray:
    """Share of distractors that fit each event's segment less than its own text; ties count half.

    Args:
        own: (K,) how well the event's text fits; NaN where there is nothing to see.
        others: (n, K) how well each distractor does; NaN where it is left out.

    Returns:
        (K,) in [0, 1]; NaN without a segment or without a distractor.
    """
    asked = np.isfinite(others)
    tie = _FLOAT_TIE * np.abs(np.append(np.nan_to_num(others), np.nan_to_num(own))).max(initial=0.0)
    apart = np.where(asked, own - np.where(asked, others, 0.0), -np.inf)
    less = (apart > tie).sum(axis=0) + 0.5 * (asked & (np.abs(apart) <= tie)).sum(axis=0)
    count = asked.sum(axis=0)
    shares = np.divide(less, count, out=np.full(len(own), np.nan), where=count > 0)
    return np.where(np.isfinite(own), shares, np.nan)


def all_others(rows: FloatArray, own: FloatArray, classes: Sequence[int]) -> FloatArray:
    """Distractors and the sample's other actions, as rows of how well they fit each event's segment.

    Args:
        rows: (n, K) of distractors.
        own: (K, K) of each event's text in each event's segment.
        classes: which action each event is; an event's own action is left out, as NaN.
    """
    numbers = np.array(classes)
    firsts = [int(np.flatnonzero(numbers == c)[0]) for c in range(numbers.max() + 1)]
    others = own[firsts].copy()
    others[numbers[firsts][:, None] == numbers[None]] = np.nan
    return np.concatenate([rows, others])


def two_sided_presence(shares: FloatArray) -> FloatArray:
    """SEM of each event, 2 x share - 1: 0 at chance, 1 at best; (K,) to (K,)."""
    return 2.0 * shares - 1.0


def mean_two_sided(values: npt.NDArray[np.floating]) -> float:
    """SEM: mean over events; one that the video does not reach is at chance, 0.

    Args:
        values: (K,) in [-1, 1], NaN for an event that is not reached.
    """
    kept = np.nan_to_num(values.astype(np.float32).astype(np.float64), nan=0.0)
    return float(np.clip(kept, -1.0, 1.0).mean())


def every_action_present(values: npt.NDArray[np.floating]) -> bool:
    """Whether every event beats 95 % of its distractors: unanimous completion."""
    return bool((np.nan_to_num(values, nan=-1.0) >= two_sided_presence(np.array(ALL_BUT)) - _FLOAT_TIE).all())


def timeline_place(similarity: FloatArray, distractors: FloatArray, grid: EventGrid) -> float | None:
    """p: the place of a timeline's contrast among 199 whose texts are drawn from the distractors.

    The contrast is the mean over events of the mean similarity in the event's own time less the mean
    elsewhere.

    Args:
        similarity: (K, J) of each window to each event's text.
        distractors: (n, J) of each window to each distractor.
        grid: the prompted events.

    Returns:
        1/200 to 1, ties against the video; None where the distractors make fewer than 19 timelines, or where
        no event has time without it.
    """
    inside = grid.class_mask[list(grid.classes)]
    own = (grid.mask & grid.there).astype(np.float64)
    elsewhere = (~inside & grid.there).astype(np.float64)
    known = np.flatnonzero((own.any(axis=1)) & (elsewhere.any(axis=1)))
    if not len(known) or timelines_of(len(distractors), grid.class_count) < FEWEST_TIMELINES:
        return None
    own, elsewhere = own[known], elsewhere[known]
    weights = own / own.sum(axis=1, keepdims=True) - elsewhere / elsewhere.sum(axis=1, keepdims=True)
    shown, unasked = (np.where(grid.there, rows, 0.0) for rows in (similarity, distractors))
    classes = np.array(grid.classes)
    contrast = float((shown[known] * weights).sum(axis=1).mean())
    of_class = _drawn(len(distractors), grid.class_count)
    drawn = (unasked @ weights.T)[of_class[:, classes[known]], np.arange(len(known))].mean(axis=1)
    at_least = drawn >= contrast - noise_floor(np.concatenate([shown, unasked]))
    return float((1 + int(at_least.sum())) / (DRAWS + 1))


def timelines_of(count: int, classes: int) -> int:
    """How many different random timelines `count` distractors make, each used once if there are enough."""
    return count**classes if classes > count else math.perm(count, classes)


def _drawn(count: int, classes: int) -> npt.NDArray[np.int64]:
    """Which distractor each action of each random timeline is: (draws, classes)."""
    rng = np.random.default_rng(SEED)
    if classes > count:
        return rng.integers(0, count, (DRAWS, classes))
    return rng.permuted(np.tile(np.arange(count), (DRAWS, 1)), axis=1)[:, :classes]
