"""What a pull tells while it works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Advanced = Callable[[int], None]
"""Hears how many more bytes of a transfer are on the disk."""


class Progress(Protocol):
    """Hears what pulls do, several at once from several threads."""

    def waiting(self, what: str) -> None:
        """Another process is bringing the same thing; this one waits for it."""
        ...

    def started(self, what: str, done: int, total: int | None, /) -> Advanced:
        """A transfer begins at byte `done` of `total` (None if unknown)."""
        ...


class Silent:
    """Says nothing."""

    def waiting(self, what: str) -> None:
        """Nothing."""

    def started(self, *_: object) -> Advanced:
        """Nothing."""
        return lambda _count: None
