"""GME's two resizes, as sizes only.

A frame is brought to multiples of 28 by GME's own code, and again by the Qwen2-VL processor with
other pixel limits. Both steps resample, so their order and their rounding change the pixels.
"""

from __future__ import annotations

import math
from typing import NamedTuple

FACTOR = 28
"""Side of the square of pixels that becomes one token: patch 14, merged 2 x 2."""

_MAX_RATIO = 200


class Size(NamedTuple):
    """Height and width in pixels."""

    height: int
    width: int

    @property
    def tokens(self) -> int:
        """Image tokens of a picture of this size."""
        return (self.height // FACTOR) * (self.width // FACTOR)


def smart_size(size: Size, *, min_tokens: int, max_tokens: int) -> Size:
    """The nearest size in multiples of 28 whose area is within limits.

    Sides are rounded to the nearest multiple (halves to even). Too large: both sides shrink by
    sqrt(area / limit), rounded down. Too small: both grow likewise, rounded up. A side ratio over 200
    is cut to 200 as GME's code does. Source: `smart_resize` of OpenS2V-Nexus
    eval/utils/gme/gme_model.py lines 257-292 @b452831, equal to GME's remote code.

    Args:
        size: height and width, both at least 1.
        min_tokens: smallest area in units of 28 x 28 pixels.
        max_tokens: largest area in the same unit.
    """
    height, width = size
    area = FACTOR * FACTOR
    tall, wide = (max(FACTOR, round(side / FACTOR) * FACTOR) for side in (height, width))
    if tall * wide > max_tokens * area:
        shrink = math.sqrt((height * width) / (max_tokens * area))
        tall, wide = (math.floor(side / shrink / FACTOR) * FACTOR for side in (height, width))
    elif tall * wide < min_tokens * area:
        grow = math.sqrt((min_tokens * area) / (height * width))
        tall, wide = (math.ceil(side * grow / FACTOR) * FACTOR for side in (height, width))
    if max(tall, wide) / max(1, min(tall, wide)) > _MAX_RATIO:
        tall, wide = (wide * _MAX_RATIO, wide) if tall > wide else (tall, tall * _MAX_RATIO)
    return Size(tall, wide)


def loader_size(size: Size) -> Size:
    """Size after GME's own resize: between 4 and 16384 tokens."""
    return smart_size(size, min_tokens=4, max_tokens=16384)


def processor_size(size: Size) -> Size:
    """Size after the Qwen2-VL processor's resize: between 256 and 1280 tokens."""
    return smart_size(size, min_tokens=256, max_tokens=1280)
