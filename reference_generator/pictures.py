"""Reading reference pictures."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageOps

from ipvg_eval.reference_generator.errors import UnreadableReference


def read_picture(path: Path) -> Image.Image:
    """A picture as people see it: upright, RGB, transparent parts white.

    Raises:
        UnreadableReference: it cannot be decoded.
    """
    try:
        with Image.open(path) as file:
            picture = ImageOps.exif_transpose(file)
            if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
                layer = picture.convert("RGBA")
                white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
                picture = Image.alpha_composite(white, layer)
            return picture.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnreadableReference(f"the reference picture cannot be decoded ({error})", path=path) from error


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
