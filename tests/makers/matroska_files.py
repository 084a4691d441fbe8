"""Matroska and WebM files with a display size of their own, which FFmpeg's muxer leaves out here."""

from __future__ import annotations

_MASTERS = {0x18538067: "Segment", 0x1654AE6B: "Tracks", 0xAE: "TrackEntry", 0xE0: "Video"}
_DISPLAY = {0x54B0: "DisplayWidth", 0x54BA: "DisplayHeight", 0x54B2: "DisplayUnit"}
PIXELS, RATIO = 0, 3  # values of DisplayUnit


def with_display_size(data: bytes, width: int, height: int, unit: int = PIXELS) -> bytes:
    """The file with these display elements in its video track and no others (RFC 9559, 5.1.4.1.28).

    data: a file without SeekHead and Cues, as FFmpeg writes with the option live, because offsets move.
    """
    return b"".join(_elements(data, (width, height, unit)))


def _elements(data: bytes, display: tuple[int, int, int]) -> list[bytes]:
    parts, at = [], 0
    while at < len(data):
        identity, start = _number(data, at, keep_marker=True)
        size, body = _number(data, start)
        end = len(data) if size == (1 << 7 * (body - start)) - 1 else body + size  # all ones: unknown
        content = data[body:end]
        if identity in _MASTERS:
            inner = _elements(content, display)
            if identity == 0xE0:
                inner += [
                    _element(one, value.to_bytes(4, "big"))
                    for one, value in zip(_DISPLAY, display, strict=True)
                ]
            content = b"".join(inner)
        if identity not in _DISPLAY:
            parts.append(_element(identity, content))
        at = end
    return parts


def _number(data: bytes, at: int, *, keep_marker: bool = False) -> tuple[int, int]:
    """A variable-length integer of EBML and where it ends."""
    length = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + length], "big")
    return (value if keep_marker else value & ((1 << 7 * length) - 1)), at + length


def _element(identity: int, content: bytes) -> bytes:
    name = identity.to_bytes((identity.bit_length() + 7) // 8, "big")
    return name + (1 << 56 | len(content)).to_bytes(8, "big") + content
