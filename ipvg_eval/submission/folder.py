"""A submission that is a folder."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ipvg_eval.errors import SubmissionError
from ipvg_eval.submission.limits import Limits
from ipvg_eval.submission.listing import Entry, Listing, list_entries
from ipvg_eval.submission.member import MemberError
from ipvg_eval.submission.model import Kind, Place, Submission
from ipvg_eval.submission.paths import Problem


class FolderSubmission(Submission):
    """A folder of videos, each opened where it lies."""

    kind = Kind.FOLDER

    def __init__(self, path: Path, *, listing: Listing[Path], limits: Limits) -> None:
        super().__init__(
            path,
            files=listing.sizes,
            refused=listing.refused,
            wrapper=listing.wrapper,
            findings=listing.findings,
            limits=limits,
        )
        self._paths: Mapping[str, Path] = listing.items

    def content_hint(self, relative: str) -> Hashable:
        """Its size."""
        return self.files[relative]

    def sha256(self, relative: str) -> str:
        """Hex digest of the file's content."""
        with self.open_stream(relative) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]

    @contextmanager
    def open_stream(self, relative: str) -> Iterator[BinaryIO]:
        """The file itself, opened for reading."""
        try:
            stream = self._file(relative).open("rb")
        except OSError as error:
            raise MemberError(
                f"cannot be opened: {error.strerror or error}",
                code="file-unreadable",
                path=self.path / relative,
                hint="Check the file and its permissions.",
            ) from error
        with stream:
            yield stream

    def place(self, relative: str) -> Place:
        """The file itself."""
        return Place(self._file(relative), 0, self.files[relative])

    @contextmanager
    def open_video(self, relative: str) -> Iterator[Path]:
        """The file itself."""
        yield self._file(relative)

    def _file(self, relative: str) -> Path:
        if relative not in self._paths:
            raise MemberError(
                "is not in the submission",
                code="video-missing",
                path=self.path / relative,
                hint="Add the video.",
            )
        return self._paths[relative]


def open_folder(path: Path, limits: Limits) -> FolderSubmission:
    """The folder as a submission.

    Links that lead out of the folder, linked folders and everything that is not a plain file are refused.

    Raises:
        SubmissionError: the folder cannot be listed.
    """
    try:
        entries, cut = _walk(path, path.resolve(), limits.max_members)
    except OSError as error:
        raise SubmissionError(
            f"cannot be listed: {error.strerror or error}",
            path=error.filename or path,
            hint="Check the folder and its permissions.",
        ) from error
    return FolderSubmission(path, listing=list_entries(entries, limits, cut=cut), limits=limits)


def _walk(folder: Path, root: Path, at_most: int) -> tuple[list[Entry[Path]], bool]:
    """Every file below, depth first, up to so many files and folders, and whether there are more."""
    waiting = [(folder, "")]
    count = 0
    entries: list[Entry[Path]] = []
    while waiting:
        current, prefix = waiting.pop()
        with os.scandir(current) as found:
            for item in sorted(found, key=lambda item: item.name):
                count += 1
                if count > at_most:
                    return entries, True
                name = prefix + item.name
                if item.is_dir(follow_symlinks=False):
                    waiting.append((Path(item.path), f"{name}/"))
                else:
                    entries.append(_entry(Path(item.path), name, root))
    return entries, False


def _entry(path: Path, name: str, root: Path) -> Entry[Path]:
    problem = None
    size = 0
    target = path.resolve() if path.is_symlink() else path
    if path.is_symlink() and (not target.is_relative_to(root) or target.is_dir()):
        problem = Problem(
            code="link",
            message="It is a link to a folder, or leads out of the submission; it is not followed.",
            action="Put the file itself in its place.",
        )
    elif not target.is_file():
        problem = Problem(
            code="special-file",
            message="It is neither a file nor a folder (a device, a pipe or a broken link).",
            action="Put the video itself in its place, or remove it.",
        )
    else:
        size = target.stat().st_size
    return Entry(name=name, size=size, item=path, problem=problem)
