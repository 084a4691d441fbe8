"""Reading reference pictures."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageOps

from ipvg_eval.core import pictures
from ipvg_eval.core.errors import UnreadablePicture
from ipvg_eval.reference_generator.errors import UnreadableReference


def read_picture(path: Path) -> Image.Image:
    """A picture as people see it: upright, RGB, transparent parts white.

    Raises:
        UnreadableReference: it cannot be decoded.
    """
    try:
        return pictures.read_picture(path)
    except UnreadablePicture as error:
        raise UnreadableReference(error.message, path=path, hint=error.hint) from error


def fitted(picture: Image.Image, width: int, height: int) -> Image.Image:
    """The whole picture in a frame of this size, in the middle of white."""
    scale = min(width / picture.width, height / picture.height)
    size = (max(1, int(picture.width * scale)), max(1, int(picture.height * scale)))
    frame = Image.new("RGB", (width, height), (255, 255, 255))
    frame.paste(
        picture.resize(size, Image.Resampling.LANCZOS),
        ((width - size[0]) // 2, (height - size[1]) // 2),
    )
    return frame


def covering(picture: Image.Image, width: int, height: int) -> Image.Image:
    """The middle of the picture that fills a frame of this size."""
    return ImageOps.fit(picture, (width, height), Image.Resampling.LANCZOS)
