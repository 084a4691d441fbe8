"""When does each prompted action take place? Intervals of maximal sum."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ipvg_eval.core.measurement import FrameFeatures
from ipvg_eval.metrics.timeline.alignment.event_grid import STRIDE, EventGrid, FloatArray

_STEPS = 2**20
_NEVER = -(2**40)
_TOUCHING = 1e-6
_PERCENTILES = (5.0, 95.0)
_MOST_STATES = 2**27
"""Bytes in which the search keeps its way back; more rows are searched in turns."""

IntArray = npt.NDArray[np.int64]


def ground(similarity: FloatArray, grid: EventGrid, tie: float = 0.0) -> FloatArray:
    """The interval in which each event takes place.

    A row's threshold is the midrange of its 5th and 95th percentiles; the event is the interval with
    the largest sum of what exceeds it. Events of one action are found together, as that many
    separate intervals, and matched in order; those that touch each other are found as one interval and
    split as prompted. What the last event does beyond the timeline's end is cut off.

    Args:
        similarity: (n, K, J) similarity to each event's text, less that to the neutral text; what
            lies behind the last present window may be left out.
        grid: the prompted events; at least one window is present.
        tie: difference from the threshold that counts as none.

    Returns:
        (n, K, 2) start and end in seconds; NaN where an event is not found.
    """
    return ground_actions(grid.by_class(np.asarray(similarity, dtype=np.float64)), grid, tie)


def ground_actions(rows: FloatArray, grid: EventGrid, tie: float = 0.0) -> FloatArray:
    """As `ground`, from one row per action: (n, classes, J) to (n, K, 2)."""
    found = np.full((rows.shape[0], len(grid.intervals), 2), np.nan)
    for c in range(grid.class_count):
        runs = _runs(grid, c)
        _place(found, _bounds(rows[:, c], len(runs), grid, tie), runs, grid)
    return _cut(found, grid)


def ground_every_text(rows: FloatArray, grid: EventGrid, tie: float = 0.0) -> FloatArray:
    """Where each event would be found if it were described by each text.

    Args:
        rows: (n, J), one row per text.
        grid: the prompted events.
        tie: as for `ground`.

    Returns:
        (n, K, 2) start and end in seconds by text and event; NaN where nothing is found.
    """
    found = np.full((len(rows), len(grid.intervals), 2), np.nan)
    bounds: dict[int, IntArray] = {}
    for c in range(grid.class_count):
        runs = _runs(grid, c)
        if len(runs) not in bounds:
            bounds[len(runs)] = _bounds(rows, len(runs), grid, tie)
        _place(found, bounds[len(runs)], runs, grid)
    return _cut(found, grid)


def _bounds(rows: FloatArray, count: int, grid: EventGrid, tie: float) -> IntArray:
    """At most `count` runs of cells of each row above its threshold: (n, J) to (n, count, 2)."""
    # Nothing is found behind the last window, however long the timeline is.
    cells = int(np.flatnonzero(grid.there)[-1]) + 1
    rows, there = rows[:, :cells], grid.there[:cells]
    low, high = np.percentile(rows[:, there], _PERCENTILES, axis=-1)
    excess = rows - ((low + high) / 2.0)[:, None]
    gains = np.where(np.abs(excess) > tie, excess, 0.0) * (np.diff(grid.edges)[:cells] / STRIDE)
    return best_intervals(np.where(there, gains, -np.inf), count)


def _place(found: FloatArray, bounds: IntArray, runs: list[list[int]], grid: EventGrid) -> None:
    """Write the runs' bounds into their events, in seconds."""
    for r, run in enumerate(runs):
        missing = bounds[:, r, 0] < 0
        seconds = grid.edges[np.where(missing[:, None], 0, bounds[:, r])]
        found[:, run] = np.where(missing[:, None, None], np.nan, _split(seconds, run, grid))


def best_intervals(gains: FloatArray, count: int) -> IntArray:
    """At most `count` separate runs of cells with the largest total gain.

    Dynamic programming over the cells; of equal totals the one with fewer, shorter and earlier runs.
    Gains are rounded to a millionth of their row's largest, so that sums are exact.

    Args:
        gains: (n, J); -inf for cells that must not be taken.
        count: at least 1.

    Returns:
        (n, count, 2): first cell and the cell behind the last one, by time; -1 where there are fewer.
    """
    finite = np.isfinite(gains)
    largest = np.abs(np.where(finite, gains, 0.0)).max(axis=1, keepdims=True)
    steps = np.rint(np.where(finite, gains, 0.0) / np.where(largest > 0, largest, 1.0) * _STEPS)
    # One step off for every cell: a run never grows by cells that add nothing but rounding errors.
    units = np.where(finite, steps.astype(np.int64) - 1, _NEVER)
    cells = units.shape[1]
    possible = min(count, (cells + 1) // 2)
    each = max(1, _MOST_STATES // (cells * (2 * possible + 1)))
    states = np.concatenate(
        [_best_states(units[first : first + each], possible) for first in range(0, len(units), each)]
    )
    inside = np.where(states % 2 == 1, states // 2, -1)
    bounds = np.full((len(gains), count, 2), -1, dtype=np.int64)
    for r in range(possible):
        taken = inside == r
        some = taken.any(axis=1)
        bounds[some, r, 0] = taken[some].argmax(axis=1)
        bounds[some, r, 1] = taken.shape[1] - taken[some, ::-1].argmax(axis=1)
    return bounds


def _best_states(units: IntArray, count: int) -> IntArray:
    """The best state at every cell: 2 r between run r - 1 and run r, 2 r + 1 inside run r; (n, J)."""
    draws, cells = units.shape
    score = np.full((draws, 2 * count + 1), _NEVER, dtype=np.int64)
    score[:, 0] = 0
    advanced = np.zeros((cells, draws, 2 * count + 1), dtype=np.bool_)
    for j in range(cells):
        stay = score.copy()
        advance = score[:, :-1] > stay[:, 1:]
        stay[:, 1:] = np.where(advance, score[:, :-1], stay[:, 1:])
        advanced[j, :, 1:] = advance
        stay[:, 1::2] += units[:, j : j + 1]
        score = stay
    last = score.copy()
    advance = score[:, :-1] > last[:, 1:]
    last[:, 1:] = np.where(advance, score[:, :-1], last[:, 1:])
    closed = 2 * last[:, ::2].argmax(axis=1)
    each = np.arange(draws)
    state = closed - np.where(closed > 0, advance[each, np.maximum(closed - 1, 0)], False)
    path = np.empty((draws, cells), dtype=np.int64)
    for j in range(cells - 1, -1, -1):
        path[:, j] = state
        state = state - advanced[j, each, state]
    return path


def _runs(grid: EventGrid, action: int) -> list[list[int]]:
    """The events of one action, by time, those that touch each other together."""
    events = sorted((k for k, c in enumerate(grid.classes) if c == action), key=grid.intervals.__getitem__)
    runs: list[list[int]] = []
    reached = -np.inf
    for k in events:
        start, end = grid.intervals[k]
        if start <= reached + _TOUCHING:
            runs[-1].append(k)
        else:
            runs.append([k])
        reached = max(reached, end)
    return runs


def _split(bounds: FloatArray, run: list[int], grid: EventGrid) -> FloatArray:
    """A found interval divided as the run's events divide the prompted one: (n, 2) to (n, events, 2)."""
    prompted = np.array([grid.intervals[k] for k in run])
    first, last = prompted[:, 0].min(), prompted[:, 1].max()
    shares = (prompted - first) / (last - first)
    starts, lengths = bounds[:, 0, None, None], (bounds[:, 1] - bounds[:, 0])[:, None, None]
    return np.asarray(starts + shares * lengths, dtype=np.float64)


def _cut(found: FloatArray, grid: EventGrid) -> FloatArray:
    """The last event's interval without what lies behind the timeline's end; NaN if nothing is left."""
    end = grid.end
    for k, (_, stop) in enumerate(grid.intervals):
        if stop >= end - _TOUCHING:
            found[:, k, 1] = np.minimum(found[:, k, 1], end)
            found[found[:, k, 0] >= found[:, k, 1], k] = np.nan
    return found


def grounded_intervals(features: FrameFeatures) -> list[tuple[float, float] | None]:
    """Start and end in seconds of every event's found interval, from the features of `timeline_miou`.

    Returns:
        One entry per event, in the timeline's order; None for an event that was not found.
    """
    assert features.reference is not None
    pairs = features.reference.reshape(-1, 2)
    return [(float(a), float(b)) if np.isfinite(a) and np.isfinite(b) else None for a, b in pairs]
