"""From decoded frames to upright RGB pixels."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, cast

from av.video.reformatter import Interpolation, VideoReformatter

from ipvg_eval.core.measurement import Frames
from ipvg_eval.video.orientation import Orientation, orientation_of


class Picture:
    """Turns decoded frames into upright RGB pixels of one size."""

    def __init__(self, aspect: Fraction = Fraction(1)) -> None:
        self._reformatter = VideoReformatter()
        self._size: tuple[int, int] | None = None
        self._orientation = Orientation()
        self._changed = False
        self._aspect = aspect
        self.note: str | None = None

    def upright_rgb(self, frame: Any) -> Frames:
        """(height, width, 3) uint8, a view of memory that lives as long as the array."""
        size = (frame.width, frame.height)
        if self._size is None:
            self._size = size
            self._orientation = orientation_of(frame)
            self.note = aspect_note(self._aspect, size[::-1] if self._orientation.transpose else size)
        elif size != self._size and not self._changed:
            self._changed = True
            change = (
                f"the size changes from {self._size[0]}x{self._size[1]} to {size[0]}x{size[1]}"
                " in mid-video; later frames are scaled to the first size"
            )
            self.note = f"{self.note}; {change}" if self.note else change
        # For more than 8 bits swscale's way to rgb24 comes out one level darker than its way to bgr24.
        deep = any(component.bits > 8 for component in frame.format.components)
        converted = self._reformatter.reformat(
            frame,
            width=self._size[0],
            height=self._size[1],
            format="bgr24" if deep else "rgb24",
            interpolation=Interpolation.BICUBIC,  # FFmpeg's and OpenCV's choice
            threads=1,
        )
        pixels = cast(Frames, converted.to_ndarray())
        return self._orientation.apply(pixels[..., ::-1] if deep else pixels)


def aspect_note(aspect: Fraction, size: tuple[int, int]) -> str | None:
    """What a reader must know where pixels are not square: published scripts measure them as stored.

    aspect, size: of the picture as shown, after rotation; size is (width, height).
    """
    if aspect == 1 or aspect <= 0:
        return None
    width, height = size
    return (
        f"the pixels are {aspect.numerator}:{aspect.denominator}, not square: measured as stored, "
        f"{width}x{height}, while players show {round(width * aspect)}x{height}"
    )
