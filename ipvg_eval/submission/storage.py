"""Reading what lies behind a URL, through fsspec, with errors that people understand."""

from __future__ import annotations

import errno
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ipvg_eval.core.errors import IpvgError, Unavailable, UsageError
from ipvg_eval.errors import SubmissionError
from ipvg_eval.submission.address import scheme_of, without_secrets

_PIECE = 4 << 20
_ATTEMPTS = 3
_FIRST_PAUSE = 0.5
_PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs"}
_WEB = ("http", "https")
_GONE = (404, 410)
_ACCESS = {
    "s3": "Credentials and the region come from the environment as for the aws command (AWS_PROFILE, "
    "AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL), on every worker too.",
    "gs": "Credentials come from GOOGLE_APPLICATION_CREDENTIALS or `gcloud auth application-default login`, "
    "on every worker too.",
    "hf": "Log in with `hf auth login` or set HF_TOKEN, on every worker too; hf://datasets/OWNER/NAME/FOLDER "
    "is a folder of a data set.",
}
_CHATTY = (
    "aiobotocore",
    "aiohttp",
    "botocore",
    "fsspec",
    "gcsfs",
    "google",
    "httpcore",
    "httpx",
    "s3fs",
    "urllib3",
)


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file of a storage.

    Attributes:
        name: relative to the folder that was listed, with forward slashes.
        path: where the storage has it.
        size: in bytes; None where the storage does not say.
        plain: whether it is a file, not a link or anything stranger.
    """

    name: str
    path: str
    size: int | None
    plain: bool


class Storage:
    """What a URL points to.

    Every method may be called from several threads at once.

    Args:
        url: the URL, with everything that opens it.

    Attributes:
        location: the URL without user, password and query.

    Raises:
        UsageError: nobody knows such URLs, or it is a scheme alone.
        Unavailable: the package for them is not installed, or it cannot be set up.
    """

    def __init__(self, url: str) -> None:
        self.location = without_secrets(url)
        self._scheme = scheme_of(url)
        if not url.partition("://")[2].strip("/"):
            raise UsageError(
                "this address names nothing",
                path=self.location,
                hint="Write it out, such as https://example.org/facial_results.zip.",
            )
        for name in _CHATTY:  # their debugging output holds keys
            logging.getLogger(name).setLevel(logging.INFO)
        with self.explained():
            kind = self._filesystem_class()
            # An instance of its own: those that are shared remember old listings.
            self._files = kind(skip_instance_cache=True, **kind._get_kwargs_from_urls(url))
            self._root = str(kind._strip_protocol(url)).rstrip("/")

    @property
    def name(self) -> str:
        """The last part of the path."""
        last = self._root.partition("?")[0].rstrip("/").rpartition("/")[2]
        return unquote(last) if self._scheme in _WEB else last

    def is_file(self) -> bool:
        """Whether it is a file; on the web, where folders are pages too, whether it is called .zip.

        Raises:
            UsageError: there is nothing.
            Unavailable: the storage does not answer, or refuses.
        """
        if self._scheme in _WEB:
            return self.name.lower().endswith(".zip")
        with self.explained():
            return bool(self._files.info(self._root)["type"] == "file")

    def files(self, at_most: int) -> tuple[list[RemoteFile], bool]:
        """The files below the folder, up to so many files and folders, and whether there are more.

        Raises:
            UsageError: there is nothing.
            Unavailable: the storage does not answer, or refuses.
        """
        with self.explained():
            return self._walk(at_most)

    def fetch(self, target: Path, *, limit: int, file: RemoteFile | None = None) -> None:
        """Copy a file to this machine.

        Args:
            target: where to; written over.
            limit: bytes at which to stop.
            file: which of the folder's files; the URL itself where None.

        Raises:
            SubmissionError: it is larger than the limit or than was listed, or there is no room.
            UsageError: it is not there.
            Unavailable: the storage does not answer, refuses, or breaks off again and again.
        """
        path = self._root if file is None else file.path
        expected = None if file is None else file.size
        for attempt in range(_ATTEMPTS):
            try:
                with self.explained(None if file is None else file.name):
                    self._copy(path, target, limit, expected)
            except Unavailable:
                if attempt + 1 == _ATTEMPTS:
                    raise
                time.sleep(_FIRST_PAUSE * 4**attempt)
            else:
                return

    @contextmanager
    def explained(self, name: str | None = None) -> Iterator[None]:
        """Turn whatever goes wrong inside into one of our errors, without the URL's secrets.

        Args:
            name: the file of the folder that it is about.
        """
        where = self.location if name is None else f"{self.location}: {name}"
        access = _ACCESS.get({"gcs": "gs", "s3a": "s3"}.get(self._scheme, self._scheme))
        try:
            yield
        except IpvgError:
            raise
        except Exception as raised:
            error = _root_of(raised)
            if isinstance(error, FileNotFoundError):
                raise UsageError("does not exist", path=where, hint="Check the URL.") from None
            if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise SubmissionError(
                    f"cannot be copied to this machine: {os.strerror(error.errno)}",  # type: ignore[attr-defined]
                    path=where,
                    hint="Make room on the disk, or set TMPDIR to a folder with room.",
                ) from None
            status = getattr(error, "status", None) or getattr(error, "code", None)
            if isinstance(error, PermissionError) or status in (401, 403):
                raise Unavailable("access is refused", path=where, hint=access) from None
            lines = without_secrets(str(error)).strip().splitlines() or [""]
            why = f"{type(error).__name__}: {lines[0][:300]}".rstrip(": ")
            hint = access or "Check the address and the network, or download it and give the file."
            raise Unavailable(f"cannot be read ({why})", path=where, hint=hint) from None

    def _filesystem_class(self) -> Any:
        try:
            import fsspec
            from fsspec.registry import available_protocols

            if self._scheme not in available_protocols():
                raise UsageError(
                    f"nothing is known about {self._scheme}:// addresses",
                    path=self.location,
                    hint="Known are s3, gs, hf, http, https, file and whatever fsspec knows.",
                )
            return fsspec.get_filesystem_class(self._scheme)
        except ImportError as error:
            package = _PACKAGES.get(self._scheme)
            hint = (
                "pip install 'ipvg-eval[remote]'"
                if package
                else f"Install what {self._scheme}:// needs: {error}"
            )
            raise Unavailable(
                f"{self._scheme}:// needs the package {package or error.name or 'that fsspec names'}",
                path=self.location,
                hint=hint,
            ) from None

    def _walk(self, at_most: int) -> tuple[list[RemoteFile], bool]:
        waiting, seen = [self._root], {self._root}
        files: list[RemoteFile] = []
        while waiting:
            current = waiting.pop()
            for info in sorted(self._files.ls(current, detail=True), key=lambda info: str(info["name"])):
                path = str(info["name"]).rstrip("/")
                if path in seen or not path.startswith(f"{self._root}/"):
                    continue  # a folder's own marker, or a link to somewhere else
                seen.add(path)
                if len(seen) - 1 > at_most:
                    return files, True
                if info["type"] == "directory":
                    waiting.append(path)
                else:
                    files.append(self._file(path, info))
        return files, False

    def _file(self, path: str, info: dict[str, Any]) -> RemoteFile:
        size = info.get("size")
        if size is None and info["type"] == "file":
            size = self._files.info(path).get("size")
        name = path[len(self._root) + 1 :]
        return RemoteFile(
            name=unquote(name) if self._scheme in _WEB else name,
            path=path,
            size=None if size is None else int(size),
            plain=info["type"] == "file" and not info.get("islink", False),
        )

    def _copy(self, path: str, target: Path, limit: int, expected: int | None) -> None:
        copied = 0
        # Web servers need not answer requests for a part of a file; a stream they all have.
        options = {"block_size": 0} if self._scheme in _WEB else {"block_size": _PIECE}
        with self._files.open(path, "rb", **options) as source, target.open("wb") as copy:
            while piece := source.read(_PIECE):
                copied += len(piece)
                if copied > limit:
                    raise SubmissionError(
                        f"is larger than the {limit:,} bytes that are read",
                        path=self.location,
                        hint="Encode the videos with a lower bit rate.",
                    )
                copy.write(piece)
        if expected is not None and copied != expected:
            raise Unavailable(f"gave {copied:,} of {expected:,} bytes", path=self.location)


def _root_of(error: Exception) -> Exception:
    """What really happened: fsspec calls everything that a web server refuses a missing file."""
    cause = error.__cause__
    if not isinstance(error, FileNotFoundError) or not isinstance(cause, Exception):
        return error
    refused = getattr(cause, "status", None) not in (None, *_GONE)
    unreachable = isinstance(cause, OSError) and not isinstance(cause, FileNotFoundError)
    return cause if refused or unreachable else error
