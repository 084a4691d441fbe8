"""How much a submission may hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds on a submission; the defaults leave a thousand videos ample room.

    Attributes:
        max_members: entries, folders and leftovers of operating systems included.
        max_file_bytes: size of one file once unpacked.
        max_total_bytes: size of all files once unpacked.
        max_ratio: unpacked over packed size of one member. Videos hardly shrink in a zip: real ones stay
            below 1.2, while a member of zeros reaches 1,000.
        ratio_floor_bytes: members whose unpacked size is below this are never called a bomb.
        spool_bytes: how much of a packed member is held in memory before a temporary file takes over.
    """

    max_members: int = 10_000
    max_file_bytes: int = 1 << 30
    max_total_bytes: int = 64 << 30
    max_ratio: float = 200.0
    ratio_floor_bytes: int = 1 << 20
    spool_bytes: int = 8 << 20

    @property
    def max_directory_bytes(self) -> int:
        """Size of a zip's central directory that is still read, in bytes."""
        return 65_536 + 256 * self.max_members
