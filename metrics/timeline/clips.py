"""Which frames stand for a stretch of time, for networks that take a fixed number of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ipvg_eval.metrics.timeline.layout import FloatArray

_SAME_TIME = 1e-9


def clip_columns(weights: FloatArray, count: int) -> npt.NDArray[np.int64]:
    """Frames at `count` moments evenly spaced over what each stretch holds.

    The moments are (i + .5) / count of the way through the time that was read; one on the border of two
    frames belongs to the earlier one.

    Args:
        weights: (stretches, n) seconds of each frame, as `sampling.stretch_weights` gives them; no row is all
            zeros.
        count: frames per stretch.

    Returns:
        (stretches, count) column of `weights` at each moment, ascending, with repeats where a stretch has
        fewer frames.
    """
    ends = np.cumsum(weights, axis=1)
    moments = (np.arange(count) + 0.5) / count * ends[:, -1:]
    passed = ends[:, None, :] + _SAME_TIME < moments[:, :, None]
    columns: npt.NDArray[np.int64] = passed.sum(axis=2).astype(np.int64)
    return columns
