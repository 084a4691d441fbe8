"""GMEScore's arithmetic, with the half-precision grid of the published numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]
Similarity = Literal["half", "half_mean", "full"]
"""How the similarities are rounded.

half: embeddings and each frame's dot product are rounded to float16, the mean is float64
    (TPIGE ID_eval_final/GMECal.py lines 71-75 @74390b4).
half_mean: every product, each sum and the mean are rounded to float16
    (OpenS2V-Nexus eval/get_gmescore.py lines 94-95 @b452831).
full: float64 throughout.

Sums run in float64 and are rounded once, so that no machine's summation order enters; the published
scripts' own sums in float32 may fall on the neighbouring float16 number in rare cases.
"""


def similarities(frames: FloatArray, text: FloatArray, rounding: Similarity) -> npt.NDArray[np.float64]:
    """Dot product of each frame's embedding with the prompt's.

    Args:
        frames: (n, d) rows of length one.
        text: (d,) of length one.
        rounding: which published arithmetic.

    Returns:
        (n,) float64, about [-1, 1]; not clamped. Under half rounding, multiples of 2**-11 in [0.5, 1).
    """
    if rounding == "full":
        exact: npt.NDArray[np.float64] = frames.astype(np.float64) @ text.astype(np.float64)
        return exact
    rows, query = _half(frames), _half(text)
    each = rows * query if rounding == "half" else _half(rows * query)
    return _half(each.sum(axis=1))


def mean_similarity(values: Sequence[float], counts: Sequence[int], rounding: Similarity) -> float | None:
    """Mean over frames.

    Args:
        values: one similarity per frame.
        counts: how often each frame counts.
        rounding: which published arithmetic.

    Returns:
        The mean, None without frames.
    """
    total = sum(counts)
    if total == 0:
        return None
    mean = math.fsum(count * value for count, value in zip(counts, values, strict=True)) / total
    return float(np.float16(mean)) if rounding == "half_mean" else mean


def _half(values: FloatArray) -> npt.NDArray[np.float64]:
    return values.astype(np.float16).astype(np.float64)
