"""A submission behind a URL: a folder whose files are fetched one by one, or a zip that is fetched once."""

from __future__ import annotations

import hashlib
import itertools
import shutil
import tempfile
import threading
import weakref
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ipvg_eval.core.errors import IpvgError, Unavailable
from ipvg_eval.errors import SubmissionError
from ipvg_eval.submission.archive import ZipSubmission, open_zip
from ipvg_eval.submission.limits import Limits
from ipvg_eval.submission.listing import Entry, Listing, list_entries
from ipvg_eval.submission.member import MemberError
from ipvg_eval.submission.model import Kind, Submission
from ipvg_eval.submission.paths import Problem
from ipvg_eval.submission.storage import RemoteFile, Storage

_COPIES_KEPT = 8
_NO_PLAIN_FILE = Problem(
    code="special-file",
    message="It is neither a file nor a folder.",
    action="Put the video itself in its place, or remove it.",
)
_NO_SIZE = Problem(
    code="unknown-size",
    message="The storage does not say how large it is.",
    action="Put the submission where files have sizes, or into a zip.",
)


class RemoteFolder(Submission):
    """A folder of videos behind a URL, each fetched into a private file when it is needed.

    Whoever asks for a file's hash usually decodes it next: the latest copies made for hashes are kept until
    then, so that a video crosses the network once, and what is hashed is what is decoded.
    """

    kind = Kind.FOLDER

    def __init__(self, storage: Storage, url: str, *, listing: Listing[RemoteFile], limits: Limits) -> None:
        super().__init__(
            _private_folder(self),
            files=listing.sizes,
            refused=listing.refused,
            wrapper=listing.wrapper,
            findings=listing.findings,
            limits=limits,
            location=storage.location,
            address=url,
        )
        self._storage = storage
        self._remote: Mapping[str, RemoteFile] = listing.items
        self._numbers = itertools.count()
        self._kept: OrderedDict[str, Path] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The folder's name."""
        return self._storage.name

    @property
    def beside(self) -> None:
        """There is nothing beside a URL."""

    @property
    def local(self) -> bool:
        """Its files are elsewhere."""
        return False

    def content_hint(self, relative: str) -> Hashable:
        """Its size."""
        return self.files[relative]

    def sha256(self, relative: str) -> str:
        """Hex digest of the file's content."""
        copy = self._fetched(relative)
        with copy.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        with self._lock:
            old = [self._kept.pop(relative, None)]
            self._kept[relative] = copy
            if len(self._kept) > _COPIES_KEPT:
                old.append(self._kept.popitem(last=False)[1])
        for path in old:
            if path is not None:
                shutil.rmtree(path.parent)
        return digest

    @contextmanager
    def open_stream(self, relative: str) -> Iterator[BinaryIO]:
        """A private copy, opened for reading."""
        with self.open_video(relative) as path, path.open("rb") as stream:
            yield stream

    @contextmanager
    def open_video(self, relative: str) -> Iterator[Path]:
        """A private copy, alone in a folder of its own, removed on exit."""
        with self._lock:
            copy = self._kept.pop(relative, None)
        copy = self._fetched(relative) if copy is None else copy
        try:
            yield copy
        finally:
            shutil.rmtree(copy.parent)

    def _fetched(self, relative: str) -> Path:
        if relative not in self._remote:
            raise MemberError(
                "is not in the submission",
                code="video-missing",
                path=f"{self.location}: {relative}",
                hint="Add the video.",
            )
        folder = self.path / str(next(self._numbers))
        folder.mkdir()
        copy = folder / "video.mp4"
        try:
            self._storage.fetch(copy, limit=self.limits.max_file_bytes, file=self._remote[relative])
        except IpvgError as error:
            shutil.rmtree(folder)
            raise MemberError(
                f"cannot be fetched: {error.message}",
                code="file-unreadable",
                path=f"{self.location}: {relative}",
                hint=error.hint or "Try again.",
            ) from None
        return copy


def open_remote(url: str, limits: Limits) -> Submission:
    """The folder or zip behind a URL.

    Raises:
        UsageError: there is nothing, or nobody knows such URLs.
        Unavailable: the storage cannot be reached, refuses, or its package is not installed.
        SubmissionError: it is neither a folder nor a readable zip.
    """
    storage = Storage(url)
    if storage.is_file():
        if not storage.name.lower().endswith(".zip"):
            raise SubmissionError(
                "neither a folder nor a zip",
                path=storage.location,
                hint="Give a folder of videos or a zip of them.",
            )
        return _fetched_zip(storage, url, limits)
    files, cut = storage.files(limits.max_members)
    if not files:
        raise SubmissionError(
            "there is no file in it", path=storage.location, hint="Check the URL; it is taken for a folder's."
        )
    listing = list_entries([_entry(file) for file in files], limits, cut=cut)
    return RemoteFolder(storage, url, listing=listing, limits=limits)


def _fetched_zip(storage: Storage, url: str, limits: Limits) -> ZipSubmission:
    folder = Path(tempfile.mkdtemp(prefix="ipvg-"))
    try:
        copy = folder / Path(storage.name).name
        storage.fetch(copy, limit=limits.max_total_bytes)
        submission = open_zip(copy, limits, location=storage.location, address=url)
    except Unavailable:
        shutil.rmtree(folder)
        raise
    except IpvgError as error:
        shutil.rmtree(folder)
        kind = type(error)
        raise kind(error.message, path=storage.location, hint=error.hint) from None
    except BaseException:
        shutil.rmtree(folder)
        raise
    weakref.finalize(submission, shutil.rmtree, folder, ignore_errors=True)
    return submission


def _entry(file: RemoteFile) -> Entry[RemoteFile]:
    problem = None
    if not file.plain:
        problem = _NO_PLAIN_FILE
    elif file.size is None:
        problem = _NO_SIZE
    return Entry(name=file.name, size=file.size or 0, item=file, problem=problem)


def _private_folder(owner: RemoteFolder) -> Path:
    """A folder that only this user can look into, and that goes with its owner."""
    folder = Path(tempfile.mkdtemp(prefix="ipvg-"))
    weakref.finalize(owner, shutil.rmtree, folder, ignore_errors=True)
    return folder
