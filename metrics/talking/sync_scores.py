"""From embeddings of lips and sound to Sync-C, Sync-D and the offset.

The rules of joonson/syncnet_python SyncNetInstance.py @6efbb1c, lines 19-31 and 131-135.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Padding = Literal["zero", "none"]

_EPSILON: Final = 1e-6  # torch's pairwise_distance adds it to every difference


@dataclass(frozen=True, kw_only=True)
class SyncScores:
    """The scores of one track, or the mean of several.

    Attributes:
        confidence: median over the shifts minus the smallest mean distance; 0 or larger, higher is better.
        distance: smallest mean distance, lower is better.
        offset: shift in frames at which it is found; negative where the sound is late.
        confidence_at_zero: median minus the mean distance without any shift; may be negative.
        windows: how many windows it was computed from.
    """

    confidence: float
    distance: float
    offset: float
    confidence_at_zero: float
    windows: int


def mean_distances(
    lips: npt.NDArray[np.float32],
    sounds: npt.NDArray[np.float32],
    shift: int = 15,
    padding: Padding = "zero",
) -> FloatArray:
    """Mean Euclidean distance of the lips to the sound, for every shift of the sound.

    Args:
        lips: (n, d), n at least 1.
        sounds: (n, d).
        shift: frames by which the sound is shifted at most.
        padding: what lips are compared with beyond the sound's ends. "zero": an embedding of zeros, as
            published, which makes the result depend on n. "none": nothing; where no window is left the mean
            is not a number.

    Returns:
        (2 shift + 1,) for shifts -shift to shift; entry k compares lips i with sound i + k - shift.
    """
    count, width = lips.shape
    padded = np.zeros((count + 2 * shift, width))
    padded[shift : shift + count] = sounds
    means = np.full(2 * shift + 1, np.nan)
    for place in range(2 * shift + 1):
        begin, end = 0, count
        if padding == "none":
            begin, end = max(0, shift - place), min(count, count + shift - place)
        if begin < end:
            differences = lips[begin:end] - padded[begin + place : end + place] + _EPSILON
            means[place] = np.sqrt(np.square(differences).sum(axis=1)).mean()
    return means


def sync_scores(means: FloatArray, windows: int) -> SyncScores:
    """Scores of one track.

    Args:
        means: (2 shift + 1,) of `mean_distances`; shifts without a window are left out.
        windows: how many windows it has.
    """
    shift = len(means) // 2
    known = np.sort(means[~np.isnan(means)])
    median = float(known[(len(known) - 1) // 2])  # torch's median is the lower one
    best = int(np.nanargmin(means))
    return SyncScores(
        confidence=median - float(means[best]),
        distance=float(means[best]),
        offset=float(shift - best),
        confidence_at_zero=median - float(means[shift]),
        windows=windows,
    )
