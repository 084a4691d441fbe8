"""Frames as the patches that Qwen2-VL's vision tower reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from ipvg_eval.metrics.gme.resize import Size, loader_size, processor_size

PATCH = 14
MERGE = 2
TEMPORAL = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Patches:
    """One frame whose sides are whole patches.

    Attributes:
        pixels: (grid_height * 14, grid_width * 14, 3) uint8; both grid sides are even.
    """

    pixels: npt.NDArray[np.uint8]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the pixels; frames of one shape have as many tokens."""
        return self.pixels.shape

    @property
    def grid_height(self) -> int:
        """Patches from top to bottom."""
        return int(self.pixels.shape[0]) // PATCH

    @property
    def grid_width(self) -> int:
        """Patches from left to right."""
        return int(self.pixels.shape[1]) // PATCH

    @property
    def tokens(self) -> int:
        """Image tokens after 2 x 2 merging."""
        return self.grid_height * self.grid_width // (MERGE * MERGE)


def resized(frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """A frame after both of GME's bicubic resizes (Pillow): (h, w, 3) uint8, sides multiples of 28."""
    first = loader_size(Size(*frame.shape[:2]))
    second = processor_size(first)
    image = Image.fromarray(frame)
    for size in (first, second):
        if image.size != (size.width, size.height):
            image = image.resize((size.width, size.height), Image.Resampling.BICUBIC)
    return np.asarray(image)


def frame_patches(frame: npt.NDArray[np.uint8]) -> Patches:
    """One frame at the size that the network reads it at.

    Source: fetch_image of GME's code, then transformers' Qwen2VLImageProcessor (slow) with
    min_pixels = 256 * 784 and max_pixels = 1280 * 784. Normalisation and `patch_values` follow on the
    network's device.

    Args:
        frame: (height, width, 3) RGB uint8.
    """
    return Patches(pixels=resized(frame))


def patch_values(pixels: torch.Tensor) -> torch.Tensor:
    """The patches of one frame in the network's order, the still picture repeated over both times.

    Args:
        pixels: (height, width, 3), normalised; sides are multiples of 28.

    Returns:
        (grid_height * grid_width, 1176): 3 channels x 2 times x 14 x 14 pixels, ordered so that the four
        patches of a token are neighbours.
    """
    rows, columns = pixels.shape[0] // PATCH, pixels.shape[1] // PATCH
    blocks = pixels.reshape(rows // MERGE, MERGE, PATCH, columns // MERGE, MERGE, PATCH, 3)
    ordered = blocks.permute(0, 3, 1, 4, 6, 2, 5)[:, :, :, :, :, None]
    times = ordered.expand(-1, -1, -1, -1, -1, TEMPORAL, -1, -1)
    return times.reshape(rows * columns, -1)
