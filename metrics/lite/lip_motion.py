"""How much a mouth moves, how loud a sound is, and how both go together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ipvg_eval.core.measurement import Frames
from ipvg_eval.core.sound import RATE
from ipvg_eval.metrics.talking.frame_clock import FPS

FloatArray = npt.NDArray[np.float64]

MOST_LAG: Final = 6
"""Frames by which loudness is looked for before and after the motion."""

_MOUTH: Final = (slice(76, 112), slice(32, 80))  # of the aligned face of 112 pixels
_FLOOR = 30.0  # of int16: what is quieter is silence


@dataclass(frozen=True, kw_only=True)
class LipSound:
    """How motion and loudness go together.

    Attributes:
        correlation: the largest over all lags.
        lag: frames by which loudness follows motion there.
    """

    correlation: float
    lag: int


def mouth_change(before: Frames, after: Frames) -> float:
    """Mean absolute difference in the region of the mouth, 0 to 255.

    Args:
        before: aligned grey face, (112, 112) uint8.
        after: the next one.
    """
    first, second = before[_MOUTH].astype(np.int16), after[_MOUTH].astype(np.int16)
    return float(np.abs(second - first).mean())


def loudness(samples: npt.NDArray[np.int16]) -> FloatArray:
    """Logarithm of the root mean square in windows of one frame: (n // 640,)."""
    size = RATE // FPS
    windows = samples[: len(samples) // size * size].reshape(-1, size).astype(np.float64)
    levels: FloatArray = np.log(np.sqrt(np.square(windows).mean(axis=1)) + _FLOOR)
    return levels


def lip_sound(changes: FloatArray, levels: FloatArray) -> LipSound | None:
    """The largest Pearson correlation of both within `MOST_LAG`; None where one of them never changes.

    Args:
        changes: (n,), entry t for the change from frame t - 1 to t.
        levels: (m,) loudness of frame t.
    """
    best: LipSound | None = None
    for lag in range(-MOST_LAG, MOST_LAG + 1):
        begin, end = max(0, -lag), min(len(changes), len(levels) - lag)
        if end - begin < 2:
            continue
        x, y = changes[begin:end], levels[begin + lag : end + lag]
        x, y = x - x.mean(), y - y.mean()
        power = float(np.square(x).sum() * np.square(y).sum())
        if power <= 1e-18:
            continue
        found = float(np.clip((x @ y) / np.sqrt(power), -1.0, 1.0))
        if best is None or found > best.correlation:
            best = LipSound(correlation=found, lag=lag)
    return best
