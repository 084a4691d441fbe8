"""How VBench shrinks frames before it judges them.

Source: vbench 0.1.5, vbench/imaging_quality.py:17-38 (the same at Vchitect/VBench @45e79ec). Trees before
ee896a9 (2024-11-29) resize with antialiasing under current torchvision and score differently.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torchvision.transforms.functional import center_crop

Mode = Literal["longer", "shorter", "shorter_centercrop", "None"]
SIDE = 512


def resized_sides(height: int, width: int, mode: Mode = "longer") -> tuple[int, int]:
    """Height and width after the resize, before any crop.

    Both sides are multiplied by the float 512 / m and truncated, where m is the longer side (or the shorter
    one, by mode). 512 / m * m falls just short of 512 for 470 values of m in 513 to 4096 (853 and 856
    among them); such a side becomes 511. Frames whose m is at most 512 are left alone.
    """
    if mode == "None":
        return height, width
    measured = max(height, width) if mode == "longer" else min(height, width)
    if measured <= SIDE:
        return height, width
    scale = float(SIDE) / measured
    return int(scale * height), int(scale * width)


def network_input(pixels: torch.Tensor, mode: Mode = "longer") -> torch.Tensor:
    """Frames as MUSIQ sees them.

    Args:
        pixels: (n, 3, height, width) float32, 0 to 255.
        mode: which side is brought to 512; "None" leaves frames alone.

    Returns:
        (n, 3, height, width) float32, 0 to 1: bilinear, without antialiasing. "shorter_centercrop" cuts
        a square of 512 out of what was resized, filled with black where a side came out at 511.
    """
    height, width = pixels.shape[-2:]
    sides = resized_sides(height, width, mode)
    if sides != (height, width):
        pixels = F.interpolate(pixels, size=sides, mode="bilinear", align_corners=False, antialias=False)
        if mode == "shorter_centercrop":
            pixels = center_crop(pixels, [SIDE, SIDE])
    return pixels / 255.0
