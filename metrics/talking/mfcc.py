"""Mel-frequency cepstral coefficients as python_speech_features 0.6 has them, which SyncNet was fed with.

No library that is kept up gives the same numbers: windows, the filters' corners, the liftering and the
energy in place of the first coefficient all differ.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.fft import dct

FloatArray = npt.NDArray[np.float64]

COEFFICIENTS: Final = 13
ROWS_PER_SECOND: Final = 100

_RATE = 16000
_WINDOW, _STEP, _FFT = 400, 160, 512  # samples
_BANDS = 26
_LIFTER = 22
_PRE_EMPHASIS = 0.97
_TINY = float(np.finfo(np.float64).eps)


def mfcc(samples: npt.NDArray[np.int16]) -> FloatArray:
    """Thirteen numbers for every ten milliseconds of sound.

    The samples' scale counts: the first coefficient is the log energy, and integers of 16 bits are what the
    published scripts give.

    Args:
        samples: (n,) int16 at 16 kHz, n at least 1.

    Returns:
        (1 + ceil((n - 400) / 160), 13), at least one row; what lies beyond the end is taken for zero.
    """
    emphasised = np.append(samples[0], samples[1:] - _PRE_EMPHASIS * samples[:-1])
    rows = 1 + max(0, -(-(len(samples) - _WINDOW) // _STEP))
    padded = np.concatenate([emphasised, np.zeros(max(0, (rows - 1) * _STEP + _WINDOW - len(samples)))])
    frames = padded[np.arange(rows)[:, None] * _STEP + np.arange(_WINDOW)]
    power = 1.0 / _FFT * np.square(np.absolute(np.fft.rfft(frames, _FFT)))
    energy = _not_zero(power.sum(axis=1))
    bands = _not_zero(np.dot(power, _filters().T))
    cepstra = dct(np.log(bands), type=2, axis=1, norm="ortho")[:, :COEFFICIENTS]
    cepstra *= 1 + (_LIFTER / 2.0) * np.sin(np.pi * np.arange(COEFFICIENTS) / _LIFTER)
    cepstra[:, 0] = np.log(energy)
    result: FloatArray = cepstra
    return result


def _filters() -> FloatArray:
    """Triangles of equal width in mel, 0 to 8000 Hz: (26, 257)."""
    top = 2595 * np.log10(1 + (_RATE / 2) / 700.0)
    corners = 700 * (10 ** (np.linspace(0.0, top, _BANDS + 2) / 2595.0) - 1)
    bins = np.floor((_FFT + 1) * corners / _RATE)
    filters = np.zeros((_BANDS, _FFT // 2 + 1))
    for band, (low, middle, high) in enumerate(zip(bins, bins[1:], bins[2:], strict=False)):
        rising, falling = np.arange(int(low), int(middle)), np.arange(int(middle), int(high))
        filters[band, rising] = (rising - low) / (middle - low)
        filters[band, falling] = (high - falling) / (high - middle)
    return filters


def _not_zero(values: FloatArray) -> FloatArray:
    return np.where(values == 0, _TINY, values)
