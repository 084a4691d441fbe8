"""What a folder and a zip of videos have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Hashable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Self

from ipvg_eval.core.printable import printable
from ipvg_eval.findings import Finding
from ipvg_eval.submission.limits import Limits


class Kind(StrEnum):
    """How a submission comes."""

    FOLDER = "folder"
    ZIP = "zip"


@dataclass(frozen=True)
class Place:
    """Where a file's bytes lie as they are: a part of a file on this machine."""

    path: Path
    offset: int
    size: int


class Submission(ABC):
    """The videos of one team, read in place.

    Every method may be called from several threads at once.

    Attributes:
        path: the folder or the zip on this machine; of a folder behind a URL, where copies of its files go.
        location: what people are shown: the path, or the URL without user, password and query.
        address: what opens it again in another process: the absolute path, or the URL as it was given.
        limits: bounds it was read with.
        kind: folder or zip.
        files: size in bytes of each usable file by its relative path with forward slashes, Unicode composed,
            in natural order. A wrapping folder is not part of the path. Unsafe entries, archives and files
            left over by operating systems are not listed.
        refused: names of the entries that are never opened, as they stand in the submission.
        wrapper: the folder around all files that was taken off their paths, or None.
        findings: what is wrong with the submission apart from its videos.
    """

    kind: Kind

    def __init__(
        self,
        path: Path,
        *,
        files: Mapping[str, int],
        refused: tuple[str, ...],
        wrapper: str | None,
        findings: tuple[Finding, ...],
        limits: Limits,
        location: str | None = None,
        address: str | None = None,
    ) -> None:
        self.path = path
        self.location = printable(str(path), longest=None) if location is None else location
        self.address = str(path.absolute()) if address is None else address
        self.limits = limits
        self.files = files
        self.refused = refused
        self.wrapper = wrapper
        self.findings = findings

    @property
    def beside(self) -> Path | None:
        """The path beside which a test set may lie, None where there is no such place."""
        return self.path

    @property
    def local(self) -> bool:
        """Whether `path` is all that another process on this machine needs to open it."""
        return True

    @property
    def name(self) -> str:
        """The folder's name, or the zip's without its suffix; escapes for what of it cannot be seen."""
        name = self.path.stem if self.kind is Kind.ZIP else self.path.resolve().name
        return printable(name, longest=None)

    def expect(self, names: Collection[str]) -> None:  # noqa: B027
        """Be told what the test set asks for, before anything is opened.

        A zip whose names do not say how they are written reads them as the test set spells them, if it can.
        """

    def has(self, relative: str) -> bool:
        """Whether the file is there and may be opened."""
        return relative in self.files

    @abstractmethod
    def content_hint(self, relative: str) -> Hashable:
        """Something cheap that is equal for files of equal content."""

    @abstractmethod
    def sha256(self, relative: str) -> str:
        """Hex digest of the file's content.

        Raises:
            MemberError: the file is not there or is damaged.
        """

    @abstractmethod
    def open_stream(self, relative: str) -> AbstractContextManager[BinaryIO]:
        """The file as a seekable binary stream, without a copy where that is possible.

        Raises:
            MemberError: the file is not there or is damaged. Damage of a member that is stored without
                packing goes unnoticed here.
        """

    def place(self, relative: str) -> Place | None:  # noqa: ARG002
        """Where the file's bytes lie, unchecked; None where they must be fetched or unpacked first.

        Raises:
            MemberError: the file is not there.
        """
        return None

    @abstractmethod
    def open_video(self, relative: str) -> AbstractContextManager[Path]:
        """The file as a file on disk: itself, or a private temporary copy that is removed on exit.

        Raises:
            MemberError: the file is not there or is damaged.
            SubmissionError: there is no room for the copy.
        """

    def __enter__(self) -> Self:
        """The submission; nothing is held open between calls."""
        return self

    def __exit__(self, *_: object) -> None:  # noqa: B027
        """Nothing to release."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.location} with {len(self.files)} files>"
