"""Turning a face upright: the five-point alignment that face recognition networks are trained on."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from skimage.transform import SimilarityTransform

from ipvg_eval.core.measurement import Frames

TEMPLATE_SIZE: Final = 112
TEMPLATE: Final = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)
"""x, y of eyes, nose and corners of the mouth in an aligned crop of 112 pixels (insightface 0.7.3,
utils/face_align.py)."""


def template(size: int = TEMPLATE_SIZE) -> npt.NDArray[np.float64]:
    """Where the five landmarks lie in an aligned crop.

    Args:
        size: side of the crop in pixels, a multiple of 112.

    Returns:
        (5, 2) float64: the template at 112 times size / 112.

    Raises:
        ValueError: size is no positive multiple of 112.
    """
    if size <= 0 or size % TEMPLATE_SIZE:
        raise ValueError(f"{size} is no positive multiple of {TEMPLATE_SIZE}")
    return np.asarray(TEMPLATE, dtype=np.float64) * (size / TEMPLATE_SIZE)


def alignment(points: npt.NDArray[np.floating], size: int = TEMPLATE_SIZE) -> npt.NDArray[np.float64]:
    """The similarity transform (rotation, one scale, translation) that lays landmarks on the template.

    The least-squares solution of Umeyama (1991), by `skimage.transform.SimilarityTransform`.

    Args:
        points: (5, 2) landmarks in pixels.
        size: side of the crop in pixels, a multiple of 112.

    Returns:
        (2, 3) float64 matrix, from picture to crop coordinates.

    Raises:
        ValueError: the landmarks are not (5, 2) finite numbers, or all lie on one point.
    """
    if points.shape != (len(TEMPLATE), 2) or not np.isfinite(points).all():
        raise ValueError("landmarks must be (5, 2) finite numbers")
    fit = SimilarityTransform.from_estimate(points.astype(np.float64), template(size))
    if not fit or not np.isfinite(fit.params).all():
        raise ValueError("landmarks that all lie on one point have no alignment")
    return np.asarray(fit.params[:2], dtype=np.float64)


def align(image: Frames, points: npt.NDArray[np.floating], size: int = TEMPLATE_SIZE) -> Frames:
    """The upright crop of a face: bilinear, black outside the picture.

    Args:
        image: (height, width, 3) or (height, width) uint8.
        points: (5, 2) landmarks in pixels.
        size: side of the crop in pixels, a multiple of 112.

    Returns:
        (size, size, 3) or (size, size) uint8.

    Raises:
        ValueError: as for `alignment`.
    """
    crop = cv2.warpAffine(
        image,
        alignment(points, size),
        (size, size),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0.0,
    )
    return np.asarray(crop, dtype=np.uint8)
