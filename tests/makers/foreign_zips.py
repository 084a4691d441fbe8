"""Zips as programs of other systems write them, byte by byte (APPNOTE 4.3)."""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

_UTF8, _FOLLOWS = 0x800, 0x8
UNIX, FAT, NTFS = 3, 0, 10


@dataclass(frozen=True, kw_only=True)
class Style:
    """What one program writes.

    Attributes:
        flags: general purpose bits.
        made_by: system of the directory entry.
        deflate: packed, else stored.
        encoding: of names.
        extra: extra field of both headers.
        zip64: sizes in ZIP64's field although they are small, as streaming writers do.
    """

    flags: int = 0
    made_by: int = UNIX
    deflate: bool = False
    encoding: str = "utf-8"
    extra: bytes = b""
    zip64: bool = False


_TIMES = struct.pack("<2HBL", 0x5455, 5, 1, 1_700_000_000)
STYLES = {
    "macOS Finder": Style(flags=_FOLLOWS, deflate=True, extra=struct.pack("<2H2L", 0x5855, 8, 1, 1)),
    "macOS zip": Style(extra=_TIMES, deflate=True),
    "Windows Explorer": Style(made_by=FAT, deflate=True, encoding="cp932"),
    "Windows Explorer, new": Style(flags=_UTF8, made_by=FAT, deflate=True),
    "7-Zip": Style(flags=_UTF8, made_by=NTFS, extra=struct.pack("<2HL2H24x", 0x000A, 32, 0, 1, 24)),
    "Python": Style(flags=_UTF8),
    "Android": Style(flags=_UTF8 | _FOLLOWS, made_by=FAT),
    "streaming writer": Style(flags=_UTF8 | _FOLLOWS, deflate=True, zip64=True),
}


def foreign_zip(files: list[tuple[str, bytes]], style: Style, *, folders: tuple[str, ...] = ()) -> bytes:
    """A zip of (name, content) pairs in one program's style."""
    data, directory = b"", b""
    for name, content in [*((folder, b"") for folder in folders), *files]:
        raw, packed = name.encode(style.encoding), content
        if style.deflate and content:
            packer = zlib.compressobj(wbits=-15)
            packed = packer.compress(content) + packer.flush()
        method = 8 if style.deflate and content else 0
        crc = zlib.crc32(content)
        follows = bool(style.flags & _FOLLOWS)
        sizes = (0, 0, 0) if follows else (crc, len(packed), len(content))
        extra = style.extra
        if style.zip64:
            extra += struct.pack("<2H2Q", 1, 16, 0, 0)
            sizes = (0, 0xFFFFFFFF, 0xFFFFFFFF)
        head = struct.pack("<5H3L2H", 20, style.flags, method, 0, 0x5821, *sizes, len(raw), len(extra))
        start = len(data)
        data += b"PK\x03\x04" + head + raw + extra + packed
        if follows:
            form = "<4s3L" if not style.zip64 else "<4sL2Q"
            data += struct.pack(form, b"PK\x07\x08", crc, len(packed), len(content))
        directory += central(
            raw, style, method=method, crc=crc, packed=len(packed), size=len(content), start=start
        )
    count = len(files) + len(folders)
    return data + directory + end(count, len(directory), len(data))


def central(raw: bytes, style: Style, *, method: int, crc: int, packed: int, size: int, start: int) -> bytes:
    """One entry of the directory."""
    mode = (0o100644 << 16) if style.made_by == UNIX and not raw.endswith(b"/") else 0
    mode = (0o040755 << 16) | 0x10 if style.made_by == UNIX and raw.endswith(b"/") else mode
    head = struct.pack(
        "<6H3L5H2L", 20 | style.made_by << 8, 20, style.flags, method, 0, 0x5821, crc, packed, size, len(raw),
        len(style.extra), 0, 0, 0, mode, start % 2**32,
    )  # fmt: skip
    return b"PK\x01\x02" + head + raw + style.extra


def end(count: int, size: int, offset: int) -> bytes:
    """The end record; counts and offsets wrap, as they do in archives that know of no ZIP64."""
    return b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, count % 2**16, count % 2**16, size, offset % 2**32, 0)


def finder_above_4_gib(path: Path, files: list[tuple[str, bytes]], *, hole: int, honest: bool = True) -> Path:
    """A sparse archive of stored members as Finder lays them out: the last of `files` lies beyond 4 GiB.

    Args:
        path: the file to write.
        files: (name, content); between each two lies a member of `hole` zeros.
        hole: size of the members between.
        honest: whether the headers in front of the data agree.
    """
    style = Style(flags=_FOLLOWS)
    directory, count = b"", 0
    with path.open("wb") as out:
        for number, (name, content) in enumerate(files):
            fillers = [(f"filler{number}.bin", None, hole)] if number else []
            for member, data, size in [*fillers, (name, content, len(content))]:
                raw, start = member.encode(), out.tell()
                crc = zlib.crc32(data) if data is not None else 0
                shown = raw if honest or data is None else raw[:-1] + b"x"
                out.write(
                    b"PK\x03\x04" + struct.pack("<5H3L2H", 20, 8, 0, 0, 0, 0, 0, 0, len(raw), 0) + shown
                )
                out.write(data) if data is not None else out.seek(size, os.SEEK_CUR)
                out.write(struct.pack("<4s3L", b"PK\x07\x08", crc, size, size))
                directory += central(raw, style, method=0, crc=crc, packed=size, size=size, start=start)
                count += 1
        offset = out.tell()
        out.write(directory + end(count, len(directory), offset))
    return path
