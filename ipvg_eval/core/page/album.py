"""Pictures inside a page."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image

from ipvg_eval.core.bounded import read_bounded

_LARGEST = 16 * 2**20


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture as a data address, with its size in pixels so that the page does not jump."""

    address: str
    width: int
    height: int


class Album:
    """Reads pictures until the page would grow too large.

    Pictures are asked for in order of importance; what comes after the limit is left out and counted.
    """

    def __init__(self, *, limit: int) -> None:
        """Start an album of at most `limit` characters."""
        self._left = limit
        self._seen: dict[Path, Picture | None] = {}
        self.left_out = 0

    def picture(self, path: Path) -> Picture | None:
        """The picture at `path`; None where there is none, it is damaged, or the page is full."""
        if path not in self._seen:
            self._seen[path] = _read(path)
        picture = self._seen[path]
        if picture is None:
            return None
        if len(picture.address) > self._left:
            self.left_out += 1
            return None
        self._left -= len(picture.address)
        return picture


def _read(path: Path) -> Picture | None:
    try:
        content = read_bounded(path, most=_LARGEST)
        with Image.open(BytesIO(content), formats=["WEBP"]) as image:
            width, height = image.size
    except (OSError, ValueError, Image.DecompressionBombError):  # OSError is also PIL's word for no picture
        return None
    address = "data:image/webp;base64," + base64.b64encode(content).decode("ascii")
    return Picture(address=address, width=width, height=height)
