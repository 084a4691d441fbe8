"""Overwriting single fields of an MP4 file (ISO 14496-12); offsets count from the box's four letters."""

from __future__ import annotations

import struct

# Box: {field: (offset, form)}; boxes of version 0, as FFmpeg writes them for short videos.
FIELDS = {
    b"mvhd": {"timescale": (16, ">L"), "duration": (20, ">L")},
    b"tkhd": {"duration": (24, ">L"), "matrix": (44, ">9l"), "width": (80, ">L"), "height": (84, ">L")},
    b"mdhd": {"timescale": (16, ">L"), "duration": (20, ">L")},
    b"elst": {"count": (8, ">L"), "duration": (12, ">L"), "media_time": (16, ">l"), "rate": (20, ">L")},
    b"stts": {"count": (8, ">L"), "samples": (12, ">L"), "delta": (16, ">L")},
    b"stsz": {"size": (8, ">L"), "count": (12, ">L")},
    b"stsc": {"count": (8, ">L"), "first": (12, ">L"), "samples": (16, ">L")},
    b"stco": {"count": (8, ">L"), "offset": (12, ">L")},
    b"avc1": {"width": (28, ">H"), "height": (30, ">H")},
    b"dref": {"count": (8, ">L")},
}


def with_fields(data: bytes, box: bytes, **values: int | tuple[int, ...]) -> bytes:
    """The file with fields of its first such box overwritten."""
    raw = bytearray(data)
    start = raw.index(box)
    for field, value in values.items():
        offset, form = FIELDS[box][field]
        struct.pack_into(form, raw, start + offset, *(value if isinstance(value, tuple) else (value,)))
    return bytes(raw)


def with_size(data: bytes, box: bytes, size: int) -> bytes:
    """The file with the declared size of its first such box overwritten."""
    start = data.index(box) - 4
    return data[:start] + struct.pack(">L", size) + data[start + 4 :]


def box(kind: bytes, content: bytes = b"") -> bytes:
    """One box."""
    return struct.pack(">L4s", 8 + len(content), kind) + content


def nested(kind: bytes, depth: int) -> bytes:
    """A box in a box in a box."""
    return b"".join(struct.pack(">L4s", 8 * (depth - k), kind) for k in range(depth))
