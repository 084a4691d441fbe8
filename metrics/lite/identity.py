"""A face descriptor that was never trained: gradients and local binary patterns of an aligned face.

It tells people in similar poses apart, well enough to see a wrong or drifting face without any
download. It is no face recognition: pose, expression and blur move it more than a trained network.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from skimage.feature import hog, local_binary_pattern

from ipvg_eval.core.measurement import Frames

FloatArray = npt.NDArray[np.float64]

SIDE: Final = 112
SMOOTHING: Final = 2.0
HOG_WEIGHT: Final = 0.5
LBP_WEIGHT: Final = 0.5

_HOG_CELL = 8
_LBP_CELL = 16
_LBP_NEIGHBOURS = 8
_LBP_RADIUS = 4
_LBP_CODES = _LBP_NEIGHBOURS * (_LBP_NEIGHBOURS - 1) + 3
_LBP_LEVELS = 16  # steps per grey level: the operator compares integers


def face_descriptor(crop: Frames) -> FloatArray:
    """Describe an aligned face.

    1. Luma, smoothed with a Gaussian of 2 pixels, so that noise, compression and small differences of
       resolution matter little.
    2. HOG (Dalal and Triggs 2005; `skimage.feature.hog`): 9 directions, cells of 8 pixels, blocks of
       2 x 2 cells with L2-Hys normalisation, which takes out local contrast.
    3. Uniform LBP (Ahonen et al. 2006; `skimage.feature.local_binary_pattern`, "nri_uniform", 8 neighbours
       at 4 pixels): histograms in 7 x 7 cells of 16 pixels, square-rooted. It takes out brightness.
    4. From each part the mean over its cells is subtracted: what every place of the face has in common
       says nothing about whose it is, and would keep all cosines near 1. Each part then gets length 1.
    5. Both parts side by side, scaled by the roots of their weights (0.5 each), so that the cosine of two
       descriptors is the weighted mean of the parts' cosines.

    Args:
        crop: (112, 112, 3) RGB uint8, aligned to the five-point template.

    Returns:
        (8975,) float64 of length 1; shorter, down to 0, for a crop without any structure.

    Raises:
        ValueError: the crop has another shape.
    """
    if crop.shape != (SIDE, SIDE, 3):
        raise ValueError(f"an aligned crop is ({SIDE}, {SIDE}, 3), not {crop.shape}")
    luma = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    smooth = np.asarray(cv2.GaussianBlur(luma, (0, 0), SMOOTHING), dtype=np.float64)
    return np.concatenate(
        [np.sqrt(HOG_WEIGHT) * _gradients(smooth), np.sqrt(LBP_WEIGHT) * _patterns(smooth)],
    )


def similarity(face: FloatArray, references: FloatArray) -> float:
    """The largest cosine between a face and any of the reference descriptors.

    Args:
        face: (d,) of length at most 1, from `face_descriptor`.
        references: (m, d), m at least 1.

    Returns:
        -1 to 1; 0 where one side has no structure.
    """
    return float(np.clip(np.max(references @ face), -1.0, 1.0))


def _gradients(luma: FloatArray) -> FloatArray:
    blocks = hog(
        luma / 255.0,
        orientations=9,
        pixels_per_cell=(_HOG_CELL, _HOG_CELL),
        cells_per_block=(2, 2),
        block_norm="L2-Hys",
        feature_vector=False,
    )
    return _unit(blocks - blocks.mean(axis=(0, 1), keepdims=True))


def _patterns(luma: FloatArray) -> FloatArray:
    levels = np.rint(luma * _LBP_LEVELS).astype(np.int32)
    # The operator takes what lies outside for black, which would draw the same frame around every face.
    framed = np.pad(levels, _LBP_RADIUS, mode="edge")
    codes = local_binary_pattern(framed, _LBP_NEIGHBOURS, _LBP_RADIUS, method="nri_uniform")  # type: ignore[no-untyped-call]
    codes = codes[_LBP_RADIUS:-_LBP_RADIUS, _LBP_RADIUS:-_LBP_RADIUS].astype(np.int64)
    side = SIDE // _LBP_CELL
    cells = codes.reshape(side, _LBP_CELL, side, _LBP_CELL).swapaxes(1, 2).reshape(side * side, -1)
    histograms = np.stack([np.bincount(cell, minlength=_LBP_CODES) for cell in cells]) / _LBP_CELL**2
    roots = np.sqrt(histograms)
    return _unit(roots - roots.mean(axis=0))


def _unit(values: FloatArray) -> FloatArray:
    flat = values.ravel()
    length = float(np.linalg.norm(flat))
    # Rounding leaves about 1e-16 of a crop without structure; that is not worth blowing up.
    return flat / length if length > 1e-9 else np.zeros_like(flat)
