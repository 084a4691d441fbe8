"""Reference pictures for the browser, re-encoded without metadata."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from ipvg_eval.leaderboard.study.errors import StudyError

_LONGEST = 1024
_QUALITY = 92


def anonymous_picture(source: Path, target: Path) -> None:
    """Write a picture as WebP, upright, at most 1024 pixels long, without metadata.

    Raises:
        StudyError: it cannot be read.
    """
    try:
        with Image.open(source) as opened:
            picture = ImageOps.exif_transpose(opened).convert("RGBA")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise StudyError(f"the picture cannot be read: {error}", path=source, hint="Replace it.") from error
    picture.thumbnail((_LONGEST, _LONGEST))
    on_white = Image.new("RGB", picture.size, "white")
    on_white.paste(picture, mask=picture.getchannel("A"))
    on_white.save(target, "WEBP", quality=_QUALITY)
