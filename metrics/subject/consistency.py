"""The arithmetic of subject metrics."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ipvg_eval.metrics.similarity import unit_rows

FloatArray = npt.NDArray[np.float64]


def reference_similarities(
    frames: npt.NDArray[np.floating], references: npt.NDArray[np.floating]
) -> FloatArray:
    """Cosine of every frame with every reference.

    Args:
        frames: (n, d).
        references: (r, d).

    Returns:
        (n, r) float64 in [-1, 1].
    """
    return np.asarray(np.clip(unit_rows(frames) @ unit_rows(references).T, -1.0, 1.0), dtype=np.float64)


def frame_consistency(frames: npt.NDArray[np.floating]) -> FloatArray:
    """For every frame but the first the mean of its cosines with the frame before and with the first one.

    Each cosine is at least 0. VBench's subject consistency is the mean of these
    (vbench/subject_consistency.py of vbench 0.1.5).

    Args:
        frames: (n, d), n >= 2, in order of time.

    Returns:
        (n - 1,) float64 in [0, 1].
    """
    units = unit_rows(frames)
    before = np.clip((units[1:] * units[:-1]).sum(axis=1), 0.0, 1.0)
    first = np.clip(units[1:] @ units[0], 0.0, 1.0)
    return np.asarray((before + first) / 2.0, dtype=np.float64)
