"""No-reference measures of one picture: blur, noise and clipped exposure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from skimage.measure import blur_effect

from ipvg_eval.core.measurement import Frames

MIN_SIDE: Final = 16
NOISE_SCALE: Final = 16.0
CLIP_MARGIN: Final = 2.5

_LAPLACIAN_DIFFERENCE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)
_LAPLACIAN_NORM = 6.0  # root of the sum of its squares
_FLAT_SHARE = 0.25
_FLAT_QUANTILE = 0.3186393639643752  # the 25 % quantile of |x| for x from a standard normal distribution


@dataclass(frozen=True, kw_only=True)
class PictureQuality:
    """What was measured on one picture.

    Attributes:
        sharpness: 0 (blurred or empty) to 1; higher is better.
        noise: standard deviation in grey levels of 255; lower is better.
        clipping: share of pixels without detail left in shadows or lights, 0 to 1; lower is better.
    """

    sharpness: float
    noise: float
    clipping: float

    @property
    def score(self) -> float:
        """All three as one number, 0 to 1, higher is better: `sharpness * exp(-noise / 16) * (1 - clipping)`.

        A product, since any one fault spoils a picture. A standard deviation of 16 grey levels, where
        noise hides fine detail, leaves 37 %.
        """
        return self.sharpness * float(np.exp(-self.noise / NOISE_SCALE)) * (1.0 - self.clipping)


def picture_quality(picture: Frames) -> PictureQuality:
    """Measure one picture.

    Args:
        picture: (height, width, 3) RGB uint8, both sides at least 16 pixels.

    Raises:
        ValueError: the picture is smaller.
    """
    if min(picture.shape[:2]) < MIN_SIDE:
        raise ValueError(f"a picture of {picture.shape[1]}x{picture.shape[0]} is too small to measure")
    luma = np.asarray(cv2.cvtColor(picture.astype(np.float32), cv2.COLOR_RGB2GRAY), dtype=np.float32)
    return PictureQuality(sharpness=sharpness(luma), noise=noise_sigma(luma), clipping=clipped_share(luma))


def sharpness(luma: npt.NDArray[np.float32]) -> float:
    """One minus the blur of Crete et al. (2007), `skimage.measure.blur_effect`.

    Taken after a 3 x 3 median filter, since noise would count as detail.

    Args:
        luma: (height, width) float32, 0 to 255.

    Returns:
        0 to 1; 0 for a uniform picture, which shows nothing sharp.
    """
    calm = cv2.medianBlur(np.rint(luma).astype(np.uint8), 3)
    blur = float(blur_effect(calm))  # type: ignore[no-untyped-call]
    return min(1.0, max(0.0, 1.0 - blur))


def noise_sigma(luma: npt.NDArray[np.float32]) -> float:
    """Standard deviation of the noise by the operator of Immerkær (1996).

    The operator is the difference of two Laplacians and sees neither slopes nor straight edges. In place
    of its mean the lower quartile of its magnitude is scaled to a normal distribution's, so that the
    flattest quarter of the picture decides and texture does not count as noise.

    Args:
        luma: (height, width) float32, 0 to 255, both sides at least 3 pixels.

    Returns:
        Grey levels of 255, 0 or more.
    """
    response = np.abs(cv2.filter2D(luma, cv2.CV_32F, _LAPLACIAN_DIFFERENCE))[1:-1, 1:-1]
    return float(np.quantile(response, _FLAT_SHARE)) / (_LAPLACIAN_NORM * _FLAT_QUANTILE)


def clipped_share(luma: npt.NDArray[np.float32]) -> float:
    """Share of pixels within 2 grey levels of black or white.

    Args:
        luma: (height, width) float32, 0 to 255.

    Returns:
        0 to 1.
    """
    return float(np.mean((luma < CLIP_MARGIN) | (luma > 255.0 - CLIP_MARGIN), dtype=np.float64))
