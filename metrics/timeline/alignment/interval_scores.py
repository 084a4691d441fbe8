"""Grounded intervals against prompted ones."""

from __future__ import annotations

import numpy as np

from ipvg_eval.metrics.timeline.alignment.event_grid import EventGrid, FloatArray

_SAME_MOMENT = 1e-9


def interval_iou(found: FloatArray, prompted: FloatArray) -> FloatArray:
    """Intersection over union of intervals.

    Args:
        found: (..., 2) start and end; NaN where there is none.
        prompted: (..., 2), broadcast against `found`.

    Returns:
        (...) in [0, 1]; 0 where nothing was found.
    """
    starts, ends = np.maximum(found[..., 0], prompted[..., 0]), np.minimum(found[..., 1], prompted[..., 1])
    shared = np.maximum(ends - starts, 0.0)
    union = (found[..., 1] - found[..., 0]) + (prompted[..., 1] - prompted[..., 0]) - shared
    return np.asarray(np.nan_to_num(shared / union, nan=0.0), dtype=np.float64)


def boundary_errors(found: FloatArray, prompted: FloatArray) -> FloatArray:
    """Absolute error of every start and end, in seconds: (K, 2) each to (K, 2), NaN where not found."""
    return np.abs(found - prompted)


def kendall_tau(found: FloatArray, grid: EventGrid) -> float | None:
    """Kendall's tau of the grounded centres against the prompted order, in [-1, 1].

    Over pairs of events with different actions and different prompted centres; a pair with equal or missing
    grounded centres counts 0. None if there is no such pair.

    Args:
        found: (K, 2) start and end; NaN where there is none.
        grid: the prompted events.
    """
    prompted = np.array(grid.intervals).mean(axis=1)
    classes = np.array(grid.classes)
    centres = found.mean(axis=1)
    first, second = np.triu_indices(len(prompted), k=1)
    wanted = prompted[second] - prompted[first]
    counted = (np.abs(wanted) > _SAME_MOMENT) & (classes[first] != classes[second])
    if not counted.any():
        return None
    got = np.nan_to_num(centres[second] - centres[first], nan=0.0)
    got = np.where(np.abs(got) > _SAME_MOMENT, got, 0.0)
    return float((np.sign(wanted) * np.sign(got))[counted].mean())
