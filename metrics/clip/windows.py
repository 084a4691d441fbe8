"""One embedding for a prompt that is longer than CLIP reads."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ipvg_eval.metrics.similarity import FloatArray, unit_rows


def pool_windows(windows: FloatArray) -> npt.NDArray[np.float64]:
    """One text embedding from the embeddings of a long prompt's windows.

    Every window is scaled to length one, the windows are averaged, and the mean is scaled to
    length one: each window has the same say, whatever the length of its raw embedding. For a single window
    this is that window's own direction, so a short prompt scores as it does without windows.

    Args:
        windows: (n, d), n >= 1.

    Returns:
        (d,) float64 of length one.
    """
    mean = unit_rows(windows).mean(axis=0)
    pooled: npt.NDArray[np.float64] = unit_rows(mean[None])[0]
    return pooled
