"""A submission that is a zip, read in place or member by member."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from ipvg_eval.errors import SubmissionError
from ipvg_eval.submission.limits import Limits
from ipvg_eval.submission.listing import Listing, list_entries
from ipvg_eval.submission.member import Member, MemberError, Slice
from ipvg_eval.submission.model import Kind, Place, Submission
from ipvg_eval.submission.zip_directory import read_directory


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
    entries, odd = read_directory(path, limits)
    listing = list_entries(entries, limits)
    listing = replace(listing, findings=(*odd, *listing.findings))
    return ZipSubmission(path, listing=listing, limits=limits, location=location, address=address)
