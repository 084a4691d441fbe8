"""Pictures inside a page."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

from ipvg_eval.core.bounded import read_bounded

_LARGEST = 16 * 2**20
_MOST_PIXELS = 4096 * 2304


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
    except (OSError, ValueError):
        return None
    size = webp_size(content)
    if size is None or size[0] * size[1] > _MOST_PIXELS:
        return None
    address = "data:image/webp;base64," + base64.b64encode(content).decode("ascii")
    return Picture(address=address, width=size[0], height=size[1])


def webp_size(content: bytes) -> tuple[int, int] | None:
    """Width and height of a WebP file from its first 30 bytes, RFC 9649; None where it is none.

    Run folders come from strangers, so no decoder of pictures sees their files here: Pillow's sets one up to
    tell a size.
    """
    if len(content) < 30 or content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        return None
    if int.from_bytes(content[4:8], "little") + 8 != len(content):
        return None
    kind, header = content[12:16], content[20:30]
    if kind == b"VP8X":
        width, height = (1 + int.from_bytes(header[at : at + 3], "little") for at in (4, 7))
    elif kind == b"VP8L" and header[0] == 0x2F:
        bits = int.from_bytes(header[1:5], "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    elif kind == b"VP8 " and header[3:6] == b"\x9d\x01\x2a":
        width, height = (int.from_bytes(header[at : at + 2], "little") & 0x3FFF for at in (6, 8))
    else:
        return None
    return (width, height) if width and height else None
