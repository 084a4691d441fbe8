"""What a pull tells while it works."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Hears what a pull does."""

    def waiting(self, what: str) -> None:
        """Another process is bringing the same thing; this one waits for it."""
        ...

    def started(self, what: str, done: int, total: int | None) -> None:
        """A transfer begins at byte `done` of `total` (None if unknown)."""
        ...

    def advanced(self, count: int) -> None:
        """So many more bytes of the current transfer are on the disk."""
        ...


class Silent:
    """Says nothing."""

    def waiting(self, what: str) -> None:
        """Nothing."""

    def started(self, what: str, done: int, total: int | None) -> None:
        """Nothing."""

    def advanced(self, count: int) -> None:
        """Nothing."""
