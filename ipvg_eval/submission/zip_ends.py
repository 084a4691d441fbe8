"""Where a zip's directory lies, and whether another reader could find another one."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

from ipvg_eval.findings import Finding, Severity

WRAP = 1 << 32
_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_TAIL = (1 << 16) + _END.size
_AGAIN = "Pack the submission again with an ordinary zip tool."


@dataclass(frozen=True, kw_only=True)
class Ends:
    """What lies around the directory.

    Attributes:
        shift: bytes by which everything lies further on than the end record says.
        after: bytes after the end record and its comment.
        second: why other readers could find another directory; empty if they cannot.
        part: number of this file among those the zip is split into, from 0; the last has the directory.
    """

    shift: int
    after: int
    second: str
    part: int = 0

    @property
    def wrapped(self) -> bool:
        """Offsets are modulo 2^32, as macOS writes archives above 4 GiB."""
        return self.shift > 0 and self.shift % WRAP == 0

    def findings(self, name: str) -> tuple[Finding, ...]:
        """What is odd about the archive as a whole."""
        found = []
        if self.second:
            found.append(("second-directory", Severity.ERROR, f"{self.second}: tools see different files."))
        if self.shift > 0 and not self.wrapped:
            found.append(("zip-prefix", Severity.WARNING, f"{self.shift:,} bytes lie in front of the zip."))
        if self.after > 0:
            found.append(("zip-trailing-data", Severity.WARNING, f"{self.after:,} bytes follow its end."))
        return tuple(
            Finding(code=code, severity=severity, path=name, message=message, action=_AGAIN)
            for code, severity, message in found
        )


def read_ends(source: BinaryIO, *, directory_start: int) -> Ends:
    """Look at the records at the end of a zip whose directory was found at `directory_start`."""
    source.seek(0, 2)
    length = source.tell()
    source.seek(max(0, length - _TAIL))
    base, tail = source.tell(), source.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        return Ends(shift=0, after=0, second="")
    _, part, _, _, entries, size, offset, comment = _END.unpack_from(tail, at)
    end = base + at
    others = tail.count(b"PK\x05\x06", max(0, directory_start - base)) - 1
    second = "two records claim to be the end of the zip" if others > 0 else ""
    record = end
    locator_at = at - _LOCATOR.size
    if locator_at >= 0 and tail.startswith(b"PK\x06\x07", locator_at):
        record = end - _LOCATOR.size - _END64.size
        source.seek(max(0, record))
        raw = source.read(_END64.size)
        if len(raw) == _END64.size and raw.startswith(b"PK\x06\x06"):
            *_, entries64, size64, offset64 = _END64.unpack(raw)
            pairs = ((entries, entries64, 0xFFFF), (size, size64, WRAP - 1), (offset, offset64, WRAP - 1))
            if any(small not in (large, limit) for small, large, limit in pairs):
                second = "the two end records of the zip name different directories"
            size, offset = size64, offset64
            if _LOCATOR.unpack_from(tail, locator_at)[2] + record - size - offset != record:
                second = second or "there is a second ZIP64 end record"
    return Ends(
        shift=record - size - offset,
        after=max(0, length - end - _END.size - comment),
        second=second,
        part=part,
    )
