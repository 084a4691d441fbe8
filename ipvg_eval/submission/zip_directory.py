"""Reading a zip's directory with suspicion: what it says must agree with the bytes it speaks of."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ipvg_eval.errors import SubmissionError
from ipvg_eval.findings import Finding
from ipvg_eval.submission.formats import why_no_zip
from ipvg_eval.submission.limits import Limits
from ipvg_eval.submission.listing import Entry
from ipvg_eval.submission.member import Member
from ipvg_eval.submission.paths import Problem, name_problem
from ipvg_eval.submission.zip_checks import HEADER_MISMATCH, WRAPPED_MISMATCH, member_problem, overlaps
from ipvg_eval.submission.zip_ends import WRAP, Ends, read_ends
from ipvg_eval.submission.zip_names import member_names

_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_UTF8 = 0x800
_SIZES_FOLLOW = 0x8
_IN_ZIP64 = 0xFFFFFFFF
_NO_DIRECTORY = "File is not a zip file"
_HINT = "Pack the submission again with an ordinary zip tool and test it there."


@dataclass(frozen=True, kw_only=True)
class _Located:
    """A directory entry, where its local header and its data begin, and whether the header agrees."""

    info: zipfile.ZipInfo
    start: int
    offset: int
    agrees: bool


@dataclass(frozen=True, kw_only=True)
class Directory:
    """What a zip lists.

    Attributes:
        entries: every file with the reason it must not be opened, if there is one. Folders are listed only
            if there is something wrong with them.
        findings: what is odd about it all.
        pages: the code pages that names may be of which do not say how they are written, likeliest first.
    """

    entries: tuple[Entry[Member], ...]
    findings: tuple[Finding, ...]
    pages: tuple[str, ...]


def read_directory(path: Path, limits: Limits, *, page: str | None = None) -> Directory:
    """The zip's directory; `page` is the code page of names that do not say how they are written.

    Raises:
        SubmissionError: this is no zip, it is damaged, or its directory is too large to be read.
    """
    try:
        with path.open("rb") as source:
            guarded = _Guarded(source, limits.max_directory_bytes)
            with zipfile.ZipFile(guarded) as archive:
                infos, directory_start = archive.infolist(), archive.start_dir
            ends = read_ends(source, directory_start=directory_start)
            located = _unwrapped(source, infos, ends) if ends.wrapped else [_locate(source, i) for i in infos]
    except _DirectoryTooLarge as error:
        raise SubmissionError(
            f"the zip's directory lists far more than {limits.max_members:,} entries",
            path=path,
            hint="Hand in the videos alone.",
        ) from error
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError) as error:
        message, hint = why_no_zip(path)
        if str(error) != _NO_DIRECTORY:
            message, hint = f"not a readable zip: {error}", _HINT
        raise SubmissionError(message, path=path, hint=hint) from error
    except (ValueError, OverflowError, struct.error, IndexError) as error:
        raise SubmissionError(f"the zip's directory is damaged: {error}", path=path, hint=_HINT) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise SubmissionError(f"cannot be read: {reason}", path=path, hint=_HINT) from error
    if ends.part and not all(place.agrees for place in located):
        raise SubmissionError(
            "this is the last part of a split zip; the others end in .z01, .z02 and so on",
            path=path,
            # `zip -s 0` would join them, but Zip 3.0 loses data of members in more than two parts.
            hint="Pack it again in one piece, without a size for the parts.",
        )
    names, pages = member_names((place.info for place in located), page)
    return Directory(
        entries=tuple(_entries(located, names, directory_start, limits, ends)),
        findings=ends.findings(path.name),
        pages=pages,
    )


def _entries(
    located: list[_Located], names: list[str], directory_start: int, limits: Limits, ends: Ends
) -> Iterator[Entry[Member]]:
    spans = [(m.start, m.offset + m.info.compress_size) for m in located]
    overlapping = overlaps(spans, directory_start)
    for position, (place, name) in enumerate(zip(located, names, strict=True)):
        info = place.info
        problem: Problem | None = member_problem(info, limits)
        if problem is None and not place.agrees:
            problem = WRAPPED_MISMATCH if ends.wrapped else HEADER_MISMATCH
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


def _unwrapped(source: BinaryIO, infos: list[zipfile.ZipInfo], ends: Ends) -> list[_Located]:
    """Members whose offsets are modulo 2^32: of the places each can be at, the first whose header agrees."""
    located, reached = [], 0
    for info in infos:
        first = info.header_offset - ends.shift
        places = sorted(
            range(first, ends.shift + first + 1, WRAP), key=lambda start: (start < reached, start)
        )
        found = [_locate(source, info, start) for start in places]
        located.append(next((place for place in found if place.agrees), found[-1]))
        if located[-1].agrees:
            reached = located[-1].offset + info.compress_size
    return located


def _locate(source: BinaryIO, info: zipfile.ZipInfo, start: int | None = None) -> _Located:
    """Read the local header in front of the data; two views of one member are how archives lie."""
    header = b""
    start = info.header_offset if start is None else start
    if start >= 0:
        source.seek(start)
        header = source.read(_LOCAL_HEADER.size)
    if len(header) < _LOCAL_HEADER.size:
        return _Located(info=info, start=start, offset=max(0, start), agrees=False)
    magic, _, flags, method, _, _, crc, packed, size, name_length, extra_length = _LOCAL_HEADER.unpack(header)
    name = source.read(name_length)
    offset = start + _LOCAL_HEADER.size + name_length + extra_length
    agrees = (
        magic == b"PK\x03\x04"
        and method == info.compress_type
        and name == info.orig_filename.encode("utf-8" if flags & _UTF8 else "cp437", "replace")
        and _same(packed, info.compress_size, flags)
        and _same(size, info.file_size, flags)
        and _same(crc, info.CRC, flags)
    )
    return _Located(info=info, start=start, offset=offset, agrees=agrees)


def _same(local: int, central: int, flags: int) -> bool:
    """Whether a local value agrees; it may follow the data instead, or stand in ZIP64's extra field."""
    left_out = local == 0 and bool(flags & _SIZES_FOLLOW)
    return local in (central, _IN_ZIP64) or left_out


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
