"""Cosines between embeddings, and their means over frames."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]


def unit_rows(rows: FloatArray) -> npt.NDArray[np.float64]:
    """Rows scaled to length one, in float64.

    Args:
        rows: (n, d); a row of zeros stays zeros.

    Returns:
        (n, d) float64.
    """
    wide = np.asarray(rows, dtype=np.float64)
    norms = np.linalg.norm(wide, axis=1, keepdims=True)
    units: npt.NDArray[np.float64] = wide / np.where(norms == 0.0, 1.0, norms)
    return units


def cosines(images: FloatArray, text: FloatArray) -> npt.NDArray[np.float64]:
    """Cosine similarity of every image embedding with one text embedding.

    Args:
        images: (n, d).
        text: (d,).

    Returns:
        (n,) float64 in [-1, 1].
    """
    products: npt.NDArray[np.float64] = unit_rows(images) @ unit_rows(text[None])[0]
    return np.clip(products, -1.0, 1.0)


def scheduled_mean(
    indices: Sequence[int], values: Sequence[float], repeats: Mapping[int, int]
) -> float | None:
    """Mean over frames where a sampling rule may name a frame more than once.

    Args:
        indices: frame indices that arrived.
        values: one value per index.
        repeats: how often the sampling rule names each index.

    Returns:
        The mean with every value counted as often as its frame is named; None if no frame arrived.
    """
    total = sum(repeats[i] for i in indices)
    if total == 0:
        return None
    return math.fsum(repeats[i] * v for i, v in zip(indices, values, strict=True)) / total
