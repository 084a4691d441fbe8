"""Reading reference pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ipvg_eval.metrics.errors import UnreadableImage
from ipvg_eval.metrics.evaluator import Frames


def read_rgb(path: Path, *, apply_orientation: bool = True, over_white: bool = True) -> Frames:
    """A picture as RGB pixels.

    Args:
        path: png, webp or jpg file.
        apply_orientation: turn the picture as its EXIF orientation says. Published face scripts do not.
        over_white: lay transparent pixels over white. Published face scripts drop the transparency, which
            shows whatever colour is stored under it.

    Returns:
        (height, width, 3) uint8.

    Raises:
        UnreadableImage: the file is missing, is no picture, or is damaged.
    """
    try:
        with Image.open(path) as image:
            image.load()
            upright = ImageOps.exif_transpose(image) if apply_orientation else image
            if over_white and upright.has_transparency_data:
                rgba = upright.convert("RGBA")
                white = Image.new("RGBA", rgba.size, "white")
                upright = Image.alpha_composite(white, rgba)
            return np.asarray(upright.convert("RGB"))
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UnreadableImage(
            f"{path}: this reference picture cannot be read ({error})",
            hint="Replace it with a valid png, webp or jpg file.",
        ) from error
