"""Pixels as CLIP's slow Hugging Face image processor makes them, up to their normalisation.

Published CLIP scores come from `CLIPProcessor` of transformers 4.x, which resizes with Pillow. The
torchvision transforms of open_clip and of newer processors differ in the crop's rounding
and in the antialiasing, so they are not used here.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE = 224
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


def resized_size(width: int, height: int, side: int = SIDE) -> tuple[int, int]:
    """Width and height after the shortest side is brought to `side`; the longer one is rounded down."""
    short, long = min(width, height), max(width, height)
    scaled = int(side * long / short)
    return (side, scaled) if width <= height else (scaled, side)


def clip_pixels(frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """One frame as CLIP sees it, before / 255, mean and deviation, which follow on the network's device.

    Bicubic (Pillow) to a shortest side of 224, centre crop 224 x 224 with borders rounded down. Source:
    transformers CLIPImageProcessor, slow variant (`CLIPImageProcessorPil` since 5.0). The processor
    multiplies by 1/255 in float64; rounded to float32 that is the same as the division for every byte.

    Args:
        frame: (height, width, 3) uint8.

    Returns:
        (224, 224, 3) uint8, a copy.
    """
    height, width = frame.shape[:2]
    size = resized_size(width, height)
    resized = Image.fromarray(frame).resize(size, Image.Resampling.BICUBIC)
    left, top = (size[0] - SIDE) // 2, (size[1] - SIDE) // 2
    return np.asarray(resized)[top : top + SIDE, left : left + SIDE].copy()
