"""Frames as the patches that Qwen2-VL's vision tower reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from metrics.clip.preprocess import normalised
from metrics.gme.resize import Size, loader_size, processor_size

PATCH = 14
MERGE = 2
TEMPORAL = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Patches:
    """One frame's patches.

    Attributes:
        values: (grid_height * grid_width, 1176) float32: 3 channels x 2 times x 14 x 14 pixels,
            ordered so that the four patches of a token are neighbours.
        grid_height: patches from top to bottom.
        grid_width: patches from left to right.
    """

    values: npt.NDArray[np.float32]
    grid_height: int
    grid_width: int

    @property
    def tokens(self) -> int:
        """Image tokens after 2 x 2 merging."""
        return len(self.values) // (MERGE * MERGE)


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
    """One frame as patches, the still picture repeated over the two times of a temporal patch.

    Source: fetch_image of GME's code, then transformers' Qwen2VLImageProcessor (slow) with
    min_pixels = 256 * 784 and max_pixels = 1280 * 784.

    Args:
        frame: (height, width, 3) RGB uint8.
    """
    pixels = normalised(resized(frame))
    rows, columns = pixels.shape[0] // PATCH, pixels.shape[1] // PATCH
    blocks = pixels.reshape(rows // MERGE, MERGE, PATCH, columns // MERGE, MERGE, PATCH, 3)
    ordered = blocks.transpose(0, 3, 1, 4, 6, 2, 5)
    times = np.repeat(ordered[:, :, :, :, :, None], TEMPORAL, axis=5)
    return Patches(values=times.reshape(rows * columns, -1), grid_height=rows, grid_width=columns)
