"""A submission that is a zip, read in place or member by member."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Collection, Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from ipvg_eval.core.printable import printable
from ipvg_eval.errors import SubmissionError
from ipvg_eval.findings import Finding, Severity
from ipvg_eval.submission.limits import Limits
from ipvg_eval.submission.listing import Listing, list_entries
from ipvg_eval.submission.member import Member, MemberError, Slice
from ipvg_eval.submission.model import Kind, Place, Submission
from ipvg_eval.submission.zip_directory import read_directory

GUESSED = "names-guessed"


class ZipSubmission(Submission):
    """A zip of videos.

    Members are never unpacked under their own names: a copy that is needed on disk has a fixed name in a
    fresh private folder.
    """

    kind = Kind.ZIP

    def __init__(
        self,
        path: Path,
        *,
        listing: Listing[Member],
        pages: tuple[str, ...] = (),
        limits: Limits,
        location: str | None = None,
        address: str | None = None,
    ) -> None:
        super().__init__(
            path,
            files=listing.sizes,
            refused=listing.refused,
            wrapper=listing.wrapper,
            findings=listing.findings,
            limits=limits,
            location=location,
            address=address,
        )
        self._members: Mapping[str, Member] = listing.items
        self._pages = pages

    def expect(self, names: Collection[str]) -> None:
        """Take the reading of names under which most of these are here, the present one where several are."""
        if not self._pages:
            return
        readings = [_listed(self.path, self.limits, page)[0] for page in self._pages]
        asked = {name for name in names if not name.isascii()}
        best = max(readings, key=lambda reading: len(asked & reading.items.keys()))
        if not asked & best.items.keys():
            return
        self._members, self.files = best.items, best.sizes
        self.refused, self.wrapper = best.refused, best.wrapper
        self.findings = tuple(finding for finding in best.findings if finding.code != GUESSED)

    def content_hint(self, relative: str) -> Hashable:
        """Declared size and checksum."""
        member = self._member(relative)
        return member.size, member.crc

    def sha256(self, relative: str) -> str:
        """Hex digest of the member's unpacked content."""
        digest = hashlib.sha256()
        for piece in self._member(relative).chunks(self.path):
            digest.update(piece)
        return digest.hexdigest()

    @contextmanager
    def open_stream(self, relative: str) -> Iterator[BinaryIO]:
        """A stored member where it lies; a packed one from memory, or a temporary file if it is large."""
        member = self._member(relative)
        if not member.deflated:
            with self.path.open("rb") as source:
                yield io.BufferedReader(Slice(source, member.offset, member.size), 1 << 16)
            return
        with tempfile.SpooledTemporaryFile(max_size=self.limits.spool_bytes) as spool:
            for piece in member.chunks(self.path):
                spool.write(piece)
            spool.seek(0)
            yield spool  # type: ignore[misc]

    def place(self, relative: str) -> Place | None:
        """A part of the zip where the member is stored, None where it is packed."""
        member = self._member(relative)
        return None if member.deflated else Place(self.path, member.offset, member.size)

    @contextmanager
    def open_video(self, relative: str) -> Iterator[Path]:
        """A private copy, removed on exit."""
        member = self._member(relative)
        with tempfile.TemporaryDirectory(prefix="ipvg-") as folder:
            copy = Path(folder) / "video.mp4"
            try:
                with copy.open("wb") as target:
                    for piece in member.chunks(self.path):
                        target.write(piece)
            except OSError as error:
                raise SubmissionError(
                    f"{relative} cannot be copied to {folder}: {error.strerror or error}",
                    path=self.path,
                    hint="Make room on the disk, or set TMPDIR to a folder with room.",
                ) from error
            yield copy

    def _member(self, relative: str) -> Member:
        if relative not in self._members:
            raise MemberError(
                "is not in the submission",
                code="video-missing",
                path=f"{self.path}: {relative}",
                hint="Add the video.",
            )
        return self._members[relative]


def open_zip(
    path: Path, limits: Limits, *, location: str | None = None, address: str | None = None
) -> ZipSubmission:
    """The zip as a submission.

    Args:
        path: the file.
        limits: bounds on counts and sizes.
        location: what people are shown, where it is not the path.
        address: what opens it again in another process, where it is not the path.

    Raises:
        SubmissionError: its directory cannot be read, or is too large.
    """
    listing, pages = _listed(path, limits)
    return ZipSubmission(
        path, listing=listing, pages=pages, limits=limits, location=location, address=address
    )


def _listed(path: Path, limits: Limits, page: str | None = None) -> tuple[Listing[Member], tuple[str, ...]]:
    directory = read_directory(path, limits, page=page)
    listing = list_entries(directory.entries, limits)
    odd = [*directory.findings]
    if directory.pages and page is None and not all(name.isascii() for name in listing.items):
        odd.append(_guessed(path, limits, listing, directory.pages))
    return replace(listing, findings=(*odd, *listing.findings)), directory.pages


def _guessed(path: Path, limits: Limits, listing: Listing[Member], pages: tuple[str, ...]) -> Finding:
    """How a name was read that does not say how it is written, and how else it can be read."""
    name = next(name for name in listing.items if not name.isascii())
    readings = {name: pages[0]}
    for page in pages[1:3]:
        other, _ = _listed(path, limits, page)
        member = listing.items[name]
        spelled = [key for key, item in other.items.items() if item.offset == member.offset]
        readings.update(dict.fromkeys(spelled, page))
    shown = [f"{printable(text)} ({page})" for text, page in readings.items()]
    others = f"; it may also be {' or '.join(shown[1:])}" if shown[1:] else ""
    return Finding(
        code=GUESSED,
        severity=Severity.WARNING,
        path=printable(name),
        message=f"The zip does not say in which letters its names are: one is read as {shown[0]}{others}.",
        action="Pack it with names in UTF-8, as 7-Zip, zip and Python do.",
    )
