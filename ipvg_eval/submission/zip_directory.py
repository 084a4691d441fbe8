"""Reading a zip's directory with suspicion: what it says must agree with the bytes it speaks of."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ipvg_eval.errors import SubmissionError
from ipvg_eval.submission.limits import Limits
from ipvg_eval.submission.listing import Entry
from ipvg_eval.submission.member import Member
from ipvg_eval.submission.paths import Problem, name_problem
from ipvg_eval.submission.zip_checks import HEADER_MISMATCH, member_problem, overlaps

_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_UTF8 = 0x800
_SIZES_FOLLOW = 0x8
_IN_ZIP64 = 0xFFFFFFFF
_HINT = "Pack the submission again with an ordinary zip tool and test it there."


@dataclass(frozen=True, kw_only=True)
class _Located:
    """A directory entry, where its data begin, and whether its local header agrees."""

    info: zipfile.ZipInfo
    offset: int
    agrees: bool


def read_directory(path: Path, limits: Limits) -> list[Entry[Member]]:
    """Every file of the zip with the reason it must not be opened, if there is one.

    Folders are listed only if there is something wrong with them.

    Raises:
        SubmissionError: this is no zip, it is damaged, or its directory is too large to be read.
    """
    try:
        with path.open("rb") as source:
            guarded = _Guarded(source, limits.max_directory_bytes)
            with zipfile.ZipFile(guarded) as archive:
                located = [_locate(source, info) for info in archive.infolist()]
                directory_start = archive.start_dir
    except _DirectoryTooLarge as error:
        raise SubmissionError(
            f"the zip's directory lists far more than {limits.max_members:,} entries",
            path=path,
            hint="Hand in the videos alone.",
        ) from error
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError) as error:
        raise SubmissionError(f"not a readable zip: {error}", path=path, hint=_HINT) from error
    except (ValueError, OverflowError, struct.error, IndexError) as error:
        raise SubmissionError(f"the zip's directory is damaged: {error}", path=path, hint=_HINT) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise SubmissionError(f"cannot be read: {reason}", path=path, hint=_HINT) from error
    return list(_entries(located, directory_start, limits))


def _entries(located: list[_Located], directory_start: int, limits: Limits) -> Iterator[Entry[Member]]:
    spans = [(m.info.header_offset, m.offset + m.info.compress_size) for m in located]
    overlapping = overlaps(spans, directory_start)
    for position, place in enumerate(located):
        info, name = place.info, _name(place.info)
        problem: Problem | None = member_problem(info, limits)
        if problem is None and not place.agrees:
            problem = HEADER_MISMATCH
        problem = problem or overlapping.get(position)
        is_folder = name.endswith("/")
        if is_folder and problem is None and name_problem(name) is None:
            continue
        member = Member(
            name=name,
            offset=place.offset,
            packed_size=info.compress_size,
            size=info.file_size,
            crc=info.CRC,
            deflated=info.compress_type == zipfile.ZIP_DEFLATED,
        )
        yield Entry(name=name, size=0 if is_folder else info.file_size, item=member, problem=problem)


def _locate(source: BinaryIO, info: zipfile.ZipInfo) -> _Located:
    """Read the local header in front of the data; two views of one member are how archives lie."""
    header = b""
    if info.header_offset >= 0:
        source.seek(info.header_offset)
        header = source.read(_LOCAL_HEADER.size)
    if len(header) < _LOCAL_HEADER.size:
        return _Located(info=info, offset=max(0, info.header_offset), agrees=False)
    magic, _, flags, method, _, _, crc, packed, size, name_length, extra_length = _LOCAL_HEADER.unpack(header)
    name = source.read(name_length)
    offset = info.header_offset + _LOCAL_HEADER.size + name_length + extra_length
    agrees = (
        magic == b"PK\x03\x04"
        and method == info.compress_type
        and name == info.orig_filename.encode("utf-8" if flags & _UTF8 else "cp437", "replace")
        and _same(packed, info.compress_size, flags)
        and _same(size, info.file_size, flags)
        and _same(crc, info.CRC, flags)
    )
    return _Located(info=info, offset=offset, agrees=agrees)


def _same(local: int, central: int, flags: int) -> bool:
    """Whether a local value agrees; it may follow the data instead, or stand in ZIP64's extra field."""
    left_out = local == 0 and bool(flags & _SIZES_FOLLOW)
    return local in (central, _IN_ZIP64) or left_out


def _name(info: zipfile.ZipInfo) -> str:
    """The member's name; some tools write UTF-8 without saying so."""
    if info.flag_bits & _UTF8:
        return info.orig_filename
    try:
        return info.orig_filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.orig_filename


class _DirectoryTooLarge(Exception):
    pass


class _Guarded:
    """Lets zipfile read at most so many bytes at once; it reads the whole directory in one piece."""

    def __init__(self, source: BinaryIO, limit: int) -> None:
        self._source = source
        self._limit = limit
        self.seek = source.seek
        self.tell = source.tell
        self.close = source.close

    def read(self, size: int = -1) -> bytes:
        if size > self._limit:
            raise _DirectoryTooLarge
        return self._source.read(size if size >= 0 else self._limit)
