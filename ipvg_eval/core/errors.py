"""The root of all errors a user can meet. Each says what happened, where, and what to do next."""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path


class ExitCode(IntEnum):
    """What every command ends with; docs/exit-codes.md says the same for people."""

    DONE = 0
    INVALID = 1
    USAGE = 2
    UNAVAILABLE = 3
    SOME_FAILED = 4
    FAULT = 70
    INTERRUPTED = 130


class IpvgError(Exception):
    """Base of every error that carries what to do next; whatever else reaches the command is a fault of ours.

    Attributes:
        message: what happened, without the path.
        path: the file or folder it is about, or None.
        hint: what the reader can do next, or None.
        exit_code: what a command that meets it ends with.
    """

    exit_code: int = ExitCode.INVALID

    def __init__(self, message: str, *, path: Path | str | None = None, hint: str | None = None) -> None:
        super().__init__(f"{path}: {message}" if path is not None else message)
        self.message = message
        self.path = path
        self.hint = hint


class UsageError(IpvgError):
    """The command cannot be carried out as it was typed."""

    exit_code: int = ExitCode.USAGE


class Unavailable(IpvgError):
    """Something the command needs is not here: a package, a cluster, a storage, permission for it."""

    exit_code: int = ExitCode.UNAVAILABLE


class UnreadablePicture(IpvgError):
    """A picture cannot be decoded."""
