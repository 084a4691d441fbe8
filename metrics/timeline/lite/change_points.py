"""When does a video change, and does it change when it should?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from ipvg_eval.core.timeline.model import Event
from ipvg_eval.metrics.similarity import unit_rows
from ipvg_eval.metrics.third_party import published_module
from ipvg_eval.metrics.timeline.alignment.event_grid import FloatArray

_SAME_BORDER = 1e-6


def inner_boundaries(events: Sequence[Event], duration: float, margin: float) -> tuple[float, ...]:
    """Every moment at which an event begins or ends inside the video, in seconds, each once.

    The timeline's own end is left out: nothing is said about what comes after it.

    Args:
        events: the timeline.
        duration: of the video.
        margin: moments no further than this from the video's ends are its ends.
    """
    moments = sorted({moment for event in events for moment in (event.start, event.end)})
    inside = [moment for moment in moments[:-1] if margin < moment < duration - margin]
    return tuple(m for i, m in enumerate(inside) if i == 0 or m - inside[i - 1] > _SAME_BORDER)


def change_points(rows: npt.NDArray[np.float32], count: int, *, least: float) -> tuple[int, ...]:
    """The rows at which the features of a video change most.

    Kernel change point detection with a linear kernel (`ruptures.KernelCPD`, exact), at most `count`
    of them; a change is kept if the mean features on its two sides are at least `least` apart.

    Args:
        rows: (n, d) features of frames at an even rate.
        count: how many changes to look for.
        least: cosine distance, 0..2.

    Returns:
        Index of the first row after each change, ascending.

    Raises:
        WeightsMissing: ruptures is not installed.
    """
    kernel_cpd = published_module("ruptures", package="ruptures").KernelCPD
    found = min(count, len(rows) - 1)
    if found < 1:
        return ()
    ends = kernel_cpd(kernel="linear", min_size=1).fit(rows.astype(np.float64)).predict(n_bkps=found)
    borders = [0, *ends]
    means = unit_rows(np.stack([rows[a:b].mean(axis=0) for a, b in zip(borders, ends, strict=False)]))
    distances = 1.0 - (means[:-1] * means[1:]).sum(axis=1)
    return tuple(int(end) for end, far in zip(ends[:-1], distances, strict=True) if far >= least)


def boundary_match(changes: Sequence[float], boundaries: Sequence[float], tolerance: float) -> FloatArray:
    """How well each prompted boundary is met by a change of its own.

    Args:
        changes: moments of change in seconds.
        boundaries: prompted moments; at least one.
        tolerance: distance in seconds at which nothing is left of the credit.

    Returns:
        (boundaries,): 1 for a change at the very moment, falling linearly to 0; matched one to one for
        the largest sum.
    """
    credit = np.zeros(len(boundaries))
    if changes:
        gaps = np.abs(np.array(boundaries)[:, None] - np.array(changes)[None])
        table = np.maximum(0.0, 1.0 - gaps / tolerance)
        rows, columns = linear_sum_assignment(table, maximize=True)
        credit[rows] = table[rows, columns]
    return credit
