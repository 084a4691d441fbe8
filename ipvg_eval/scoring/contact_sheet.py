"""A few frames of a video side by side, for people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from ipvg_eval.core.measurement import ClipInfo, Frames
from ipvg_eval.core.pictures import read_rgb
from ipvg_eval.metrics.sampling import linspace_indices
from ipvg_eval.results.files import replacing

_FRAMES = 5
_CELL = (160, 160)
_GAP = 2


class ContactSheet:
    """Collects evenly spaced frames, each no larger than 160 x 160 pixels.

    Attributes:
        wanted: the frames it wants.
    """

    def __init__(self, clip: ClipInfo) -> None:
        self.wanted = linspace_indices(clip.frame_count, _FRAMES)
        self._cells: list[Image.Image] = []

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        """Take the frames it wants out of a batch."""
        self._cells.extend(
            small_picture(frame) for index, frame in zip(indices, frames, strict=True) if index in self.wanted
        )

    def image(self) -> Image.Image | None:
        """The frames in a row; None if none came."""
        if not self._cells:
            return None
        width = sum(cell.width for cell in self._cells) + _GAP * (len(self._cells) - 1)
        sheet = Image.new("RGB", (width, max(cell.height for cell in self._cells)), "white")
        left = 0
        for cell in self._cells:
            sheet.paste(cell, (left, 0))
            left += cell.width + _GAP
        return sheet


def reference_picture(path: Path) -> Image.Image:
    """A small copy of a reference picture.

    Raises:
        UnreadablePicture: the picture cannot be read.
    """
    return small_picture(read_rgb(path))


def save_picture(image: Image.Image, path: Path) -> None:
    """Write a picture as WebP in one step."""
    with replacing(path) as temporary:
        image.save(temporary, format="WEBP", quality=72, method=4)


def small_picture(frame: npt.NDArray[np.uint8]) -> Image.Image:
    """A copy of at most 160 x 160 pixels of a frame, (height, width, 3) uint8."""
    image = Image.fromarray(frame)
    image.thumbnail(_CELL, Image.Resampling.LANCZOS)
    return image
