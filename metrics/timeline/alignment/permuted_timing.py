"""TIM: does the video fit this order of its actions better than their other orders?"""

from __future__ import annotations

import itertools

import numpy as np

from ipvg_eval.metrics.timeline.alignment.chance_level import chance_iou
from ipvg_eval.metrics.timeline.alignment.discrimination import double_centred, noise_floor
from ipvg_eval.metrics.timeline.alignment.event_grid import EventGrid, FloatArray
from ipvg_eval.metrics.timeline.alignment.interval_scores import interval_iou
from ipvg_eval.metrics.timeline.alignment.temporal_grounding import IntArray, ground_every_text

ALL_ORDERS_UP_TO = 4
"""Actions up to which every order is tried; beyond, a seeded sample."""

ORDERS = 200
SEED = 20260102

_SAME_MOMENT = 1e-9


def permuted_timing(similarity: FloatArray, neutral: FloatArray | None, grid: EventGrid) -> float | None:
    """TIM = (T - E0) / (1 - E0), with T of this order and E0 its mean over orders of the texts.

    T is the signed mean of corrected MoF, order, corrected mIoU and presence in time; of these, the ones that
    exist. All orders of up to four actions are tried, else 200, this one always among them.
    Where no action is shown the texts can be exchanged, so that the expected value is exactly 0.

    Args:
        similarity: (K, J) similarity of each window to each event's text; columns of windows that the video
            lacks are ignored.
        neutral: (J,) similarity to a text without an action; None for 0.
        grid: the prompted events; at least one window is present.

    Returns:
        At most 1, 0 at chance, negative where other orders fit better; None for a single action.
    """
    if grid.class_count < 2:
        return None
    classes = _classes_by_time(grid)
    grid = EventGrid(intervals=grid.intervals, classes=classes, span=grid.span, present=grid.present)
    orders = text_orders(grid.class_count)
    fits = _fits(similarity, neutral, grid, orders)
    chance = float(fits.mean())
    return float((fits[0] - chance) / (1.0 - chance)) if chance < 1.0 - _SAME_MOMENT else 0.0


def text_orders(count: int) -> IntArray:
    """Orders of the texts that are tried, the given one first: (n, count), the text of each action."""
    if count <= ALL_ORDERS_UP_TO:
        return np.array(list(itertools.permutations(range(count))))
    given = np.arange(count)
    others = np.random.default_rng(SEED).permuted(np.tile(given, (ORDERS - 1, 1)), axis=1)
    return np.concatenate([given[None], others])


def presence_in_time(rows: FloatArray, grid: EventGrid) -> FloatArray:
    """Correlation of each text's curve with the times at which each action is prompted.

    A text that fits while its action is not prompted costs as one that does not fit while it is: a filled gap
    and a cut overlap show here. What the video lacks of an action's time costs its share.

    Args:
        rows: (n, J) similarity to each text less that to the neutral one.
        grid: the prompted events.

    Returns:
        (n, classes) in [-1, 1], 0 for a flat curve; NaN for actions that fill all the time.
    """
    centres = (grid.edges[:-1] + grid.edges[1:]) / 2.0
    cells = np.flatnonzero(grid.there & (centres < grid.end))
    if not len(cells):
        return np.full((len(rows), grid.class_count), np.nan)
    prompted = grid.class_mask[:, cells].astype(np.float64)
    reached = prompted.sum(axis=1) / grid.class_mask.sum(axis=1)
    shown, wanted = (one - one.mean(axis=1, keepdims=True) for one in (rows[:, cells], prompted))
    tie = noise_floor(rows[:, cells])
    flat = np.abs(shown).max(axis=1) <= tie
    sizes = np.linalg.norm(shown, axis=1)[:, None] * np.linalg.norm(wanted, axis=1)[None]
    products = np.where(flat[:, None], 0.0, shown @ wanted.T)
    found = np.divide(products, sizes, out=np.zeros_like(products), where=sizes > 0.0)
    found = np.clip(found, -1.0, 1.0) * reached
    found[:, (reached > 0) & (np.abs(wanted).max(axis=1) <= 0.0)] = np.nan
    return np.asarray(found, dtype=np.float64)


def _fits(
    similarity: FloatArray, neutral: FloatArray | None, grid: EventGrid, orders: IntArray
) -> FloatArray:
    """T of every order: (orders,)."""
    there = grid.there
    shown = np.where(there, np.asarray(similarity, dtype=np.float64), 0.0)
    base = np.zeros(len(there)) if neutral is None else np.where(there, neutral, 0.0)
    tie = noise_floor(shown)
    rows = grid.by_class(shown - base)
    found = ground_every_text(rows, grid, tie)
    of_event = orders[:, list(grid.classes)]
    events = np.arange(len(grid.intervals))
    terms = [_label_fits(grid.by_class(shown), grid, tie, orders)]
    if (order := _order_fits(found, grid, of_event)) is not None:
        terms.append(order)
    chance = chance_iou(grid)
    if grid.contrast and chance < 1.0:
        iou = interval_iou(found, np.array(grid.intervals)[None])
        terms.append((iou[of_event, events].mean(axis=1) - chance) / (1.0 - chance))
    in_time = presence_in_time(rows, grid)[:, list(grid.classes)]
    if (known := np.isfinite(in_time[0])).any():
        terms.append(in_time[of_event[:, known], events[known]].mean(axis=1))
    return np.asarray(np.mean(terms, axis=0), dtype=np.float64)


def _label_fits(rows: FloatArray, grid: EventGrid, tie: float, orders: IntArray) -> FloatArray:
    """Corrected MoF of every order: (orders,)."""
    there, chance = grid.there, 1.0 / grid.class_count
    z = double_centred(rows[:, there])
    winners = z >= z.max(axis=0, keepdims=True) - tie
    labelled = int(grid.class_mask.any(axis=0).sum())
    # Credit of every text at the times of every action.
    credit = (winners / winners.sum(axis=0)) @ grid.class_mask[:, there].T / labelled
    mof = credit[orders, np.arange(grid.class_count)].sum(axis=1)
    return np.asarray((mof - chance) / (1.0 - chance), dtype=np.float64)


def _order_fits(found: FloatArray, grid: EventGrid, of_event: IntArray) -> FloatArray | None:
    """Kendall's tau of the found centres of every order, as `kendall_tau`: (orders,)."""
    prompted = np.array(grid.intervals).mean(axis=1)
    classes = np.array(grid.classes)
    first, second = np.triu_indices(len(prompted), k=1)
    wanted = prompted[second] - prompted[first]
    counted = (np.abs(wanted) > _SAME_MOMENT) & (classes[first] != classes[second])
    if not counted.any():
        return None
    first, second, wanted = first[counted], second[counted], np.sign(wanted[counted])
    centres = found.mean(axis=2)[of_event, np.arange(len(prompted))]
    taus = []
    for row in centres:
        apart = np.nan_to_num(row[second] - row[first], nan=0.0)
        taus.append(float((np.where(np.abs(apart) > _SAME_MOMENT, np.sign(apart), 0.0) * wanted).mean()))
    return np.array(taus)


def _classes_by_time(grid: EventGrid) -> tuple[int, ...]:
    """Actions numbered as they come, so that the sample of orders does not hang on how events are listed."""
    by_time = sorted(range(len(grid.classes)), key=lambda k: grid.intervals[k])
    numbers: dict[int, int] = {}
    for k in by_time:
        numbers.setdefault(grid.classes[k], len(numbers))
    return tuple(numbers[c] for c in grid.classes)
