"""What makes a member of a zip unsafe to open, as far as the directory tells."""

from __future__ import annotations

import stat
import zipfile

from ipvg_eval.submission.limits import Limits
from ipvg_eval.submission.paths import Problem

_ENCRYPTED = 0x1 | 0x40 | 0x2000
_METHOD_NAMES = {9: "deflate64", 12: "bzip2", 14: "lzma", 93: "zstd", 95: "xz", 98: "ppmd"}
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

HEADER_MISMATCH = Problem(
    code="header-mismatch",
    message="The entry in the zip's directory and the header in front of the data disagree.",
    action="Pack the submission again.",
)
WRAPPED_MISMATCH = Problem(
    code="header-mismatch",
    message="The zip is above 4 GiB and does not say so, as Finder does, and no header agrees here.",
    action="Pack it in Terminal with: zip -r facial_results.zip FOLDERS",
)
_OVERLAP = Problem(
    code="overlapping-members",
    message="Its data lie inside another member's data or inside the zip's directory.",
    action="Pack the submission again.",
)


def member_problem(info: zipfile.ZipInfo, limits: Limits) -> Problem | None:
    """Links, special files, encryption, unknown packing, impossible sizes and bombs; None if all is well."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return Problem(
            code="link",
            message="It is a symbolic link; it is not followed.",
            action="Pack the file itself.",
        )
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return Problem(
            code="special-file",
            message="It is a device, a pipe or a socket.",
            action="Pack plain files alone.",
        )
    if info.flag_bits & _ENCRYPTED:
        return Problem(
            code="encrypted-member",
            message="It is encrypted.",
            action="Pack the submission without a password.",
        )
    if info.compress_type not in _METHODS:
        method = _METHOD_NAMES.get(info.compress_type, f"number {info.compress_type}")
        return Problem(
            code="packing-method",
            message=f"It is packed by the method {method}, which is not read.",
            action="Pack with the methods store or deflate, as ordinary zip tools do.",
        )
    return _size_problem(info, limits)


def _size_problem(info: zipfile.ZipInfo, limits: Limits) -> Problem | None:
    if info.compress_type == zipfile.ZIP_STORED and info.compress_size != info.file_size:
        return Problem(
            code="size-mismatch",
            message=f"It is stored in {info.compress_size:,} bytes, but declared as {info.file_size:,}.",
            action="Pack the submission again.",
        )
    ratio = info.file_size / max(1, info.compress_size)
    if ratio > limits.max_ratio and info.file_size > limits.ratio_floor_bytes:
        return Problem(
            code="zip-bomb",
            message=f"{info.compress_size:,} bytes would unpack to {info.file_size:,}; videos never do.",
            action="Remove it.",
        )
    return None


def overlaps(spans: list[tuple[int, int]], directory_start: int) -> dict[int, Problem]:
    """Positions of the members whose bytes another member, or the directory, also claims.

    Of two overlapping members, the one that begins later is named.

    Args:
        spans: first byte and end of each member with its header.
        directory_start: first byte of the zip's directory.
    """
    found = {}
    reached = 0
    for position in sorted(range(len(spans)), key=lambda p: (spans[p][0], p)):
        start, end = spans[position]
        if start < reached or end > directory_start:
            found[position] = _OVERLAP
        reached = max(reached, end)
    return found
