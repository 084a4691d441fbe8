"""Reference pictures for the browser, re-encoded without metadata."""

from __future__ import annotations

from pathlib import Path

from ipvg_eval.core.pictures import read_picture

_LONGEST = 1024
_QUALITY = 92


def anonymous_picture(source: Path, target: Path) -> None:
    """Write a picture as WebP, upright, at most 1024 pixels long, without metadata.

    Raises:
        UnreadablePicture: it cannot be read.
    """
    picture = read_picture(source)
    picture.thumbnail((_LONGEST, _LONGEST))
    picture.save(target, "WEBP", quality=_QUALITY)
