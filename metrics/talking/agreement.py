"""Whether two sounds are the same, and how much later the second one is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, next_fast_len, rfft

from ipvg_eval.core.sound import RATE, NoSound, Sound

MOST_LAG: Final = 1.0
"""Seconds by which the second sound is looked for before and after the first."""

QUIET: Final = 10.0
"""Root mean square in steps of int16 below which a sound is called silent."""


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How well two sounds agree.

    Attributes:
        value: largest correlation over all lags, -1 to 1; 1 for the same sound, however loud.
        lag: seconds by which the second sound is later there.
    """

    value: float
    lag: float


def silence(sound: Sound | NoSound) -> str | None:
    """Why there is nothing to hear, or None."""
    if isinstance(sound, NoSound):
        return sound.reason
    if _rms(sound.samples) < QUIET:
        return f"the sound is silent (below {QUIET:g} of 32768)"
    return None


def agreement(first: npt.NDArray[np.int16], second: npt.NDArray[np.int16]) -> Agreement:
    """The largest correlation of two sounds, each without its mean, over lags of up to `MOST_LAG`.

    At each lag only what overlaps counts, which is half of the shorter sound at least.

    Args:
        first: (n,) at `RATE`.
        second: (m,) likewise.
    """
    x, y = (sound - np.float64(sound.mean()) for sound in (first, second))
    most = min(round(MOST_LAG * RATE), min(len(x), len(y)) // 2)
    lags = np.arange(-most, most + 1)
    size = next_fast_len(len(x) + len(y), real=True)
    # product[k] = sum over t of x[t] y[t + k]
    product = irfft(np.conj(rfft(x, size)) * rfft(y, size), size)[lags]
    begin, end = np.maximum(0, -lags), np.minimum(len(x), len(y) - lags)
    power = _between(x, begin, end) * _between(y, begin + lags, end + lags)
    # Products of sounds that are all but silent where they overlap are rounding.
    floor = 1e-9 * max(1.0, float(np.square(x).sum()) * float(np.square(y).sum()))
    found = np.where(power > floor, product / np.sqrt(np.maximum(power, floor)), 0.0)
    best = int(np.argmax(found))
    return Agreement(value=float(np.clip(found[best], -1.0, 1.0)), lag=float(lags[best]) / RATE)


def _between(
    x: npt.NDArray[np.float64], begin: npt.NDArray[np.int64], end: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Sum of squares from `begin` to before `end`."""
    total = np.concatenate([[0.0], np.cumsum(np.square(x))])
    between: npt.NDArray[np.float64] = total[end] - total[begin]
    return between


def _rms(samples: npt.NDArray[np.int16]) -> float:
    """Without the mean, so that a constant is silent."""
    return float(np.std(samples, dtype=np.float64))
