"""Zips as bytes, honest and lying."""

from __future__ import annotations

import io
import struct
import zipfile

CENTRAL, LOCAL = b"PK\x01\x02", b"PK\x03\x04"
# Offsets of fields in the two kinds of header, from the ZIP specification (APPNOTE 4.3.7 and 4.3.12).
FIELDS = {
    "flags": (8, 6, "<H"),
    "method": (10, 8, "<H"),
    "crc": (16, 14, "<L"),
    "packed": (20, 18, "<L"),
    "size": (24, 22, "<L"),
    "offset": (42, None, "<L"),
}


def pack(
    files: list[tuple[str, bytes]], *, method: int = zipfile.ZIP_STORED, mode: int | None = None
) -> bytes:
    """A zip of (name, content) pairs in their order; names are written as they are."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files:
            info = zipfile.ZipInfo("x")
            info.filename = name
            info.compress_type = method
            info.external_attr = ((mode if mode is not None else 0o100644) << 16) & 0xFFFFFFFF
            archive.writestr(info, content)
    return buffer.getvalue()


def patch(data: bytes, name: str, *, where: str = "both", **values: int) -> bytes:
    """Overwrite header fields of one member, in the directory, in the local header, or in both."""
    raw = bytearray(data)
    encoded = name.encode()
    central = raw.index(encoded, raw.index(CENTRAL)) - 46
    local = raw.index(encoded) - 30
    assert raw[central : central + 4] == CENTRAL
    assert raw[local : local + 4] == LOCAL
    for field, value in values.items():
        in_central, in_local, form = FIELDS[field]
        if where in ("both", "central"):
            struct.pack_into(form, raw, central + in_central, value)
        if where in ("both", "local") and in_local is not None:
            struct.pack_into(form, raw, local + in_local, value)
    return bytes(raw)
