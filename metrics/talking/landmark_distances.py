"""Distances between the landmarks of two faces, in the forms that papers print."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

POINTS: Final = 68
MOUTH: Final = slice(48, 68)

_STEADY: Final = (27, 28, 29, 30, 36, 39, 42, 45)
"""Bridge of the nose and corners of the eyes, which speech does not move."""


def mean_absolute(points: FloatArray, real: FloatArray) -> float:
    """Mean of |dx| and |dy| over all points: pose-evaluation's average keypoint distance (cmp_kp.py).

    Args:
        points: (68, 2) in pixels.
        real: likewise.
    """
    return float(np.abs(points - real).mean())


def mean_euclidean(points: FloatArray, real: FloatArray) -> float:
    """Mean distance over all points: DiTalker's metrics/calculate_f_lmd.py @0eeaea6."""
    return float(np.linalg.norm(points - real, axis=1).mean())


def aligned_distance(points: FloatArray, real: FloatArray) -> float:
    """Mean distance after the similarity that lays nose and eyes on the real ones, in eye distances.

    Args:
        points: (68, 2) in pixels.
        real: likewise; its outer corners of the eyes are the unit.

    Returns:
        0 or larger; not a number where the real eyes are one point.
    """
    moved = _similarity(points[list(_STEADY)], real[list(_STEADY)], points)
    eyes = float(np.linalg.norm(real[36] - real[45]))
    return mean_euclidean(moved, real) / eyes if eyes > 0 else float("nan")


def _similarity(source: FloatArray, target: FloatArray, points: FloatArray) -> FloatArray:
    """Points under the least-squares rotation, scale and translation of source to target (Umeyama 1991)."""
    # In the plane a rotation with a scale is one complex number.
    a, b = source - source.mean(axis=0), target - target.mean(axis=0)
    x, y = a[:, 0] + 1j * a[:, 1], b[:, 0] + 1j * b[:, 1]
    power = float(np.square(np.abs(x)).sum())
    turn = np.vdot(x, y) / power if power > 0 else 1.0
    centred = points - source.mean(axis=0)
    moved = (centred[:, 0] + 1j * centred[:, 1]) * turn
    result: FloatArray = np.stack([moved.real, moved.imag], axis=1) + target.mean(axis=0)
    return result
