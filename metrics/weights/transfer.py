"""Bring bytes into a file: from an address, going on where an earlier attempt broke off, or from a file."""

from __future__ import annotations

import errno
import http.client
import re
from pathlib import Path
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from ipvg_eval.metrics.weights.errors import Interrupted, NoSpace, NotThere, PullFailed
from ipvg_eval.metrics.weights.places import WEIGHTS_DIR
from ipvg_eval.metrics.weights.progress import Advanced, Progress

_CHUNK = 1 << 20
_TIMEOUT = 60.0
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")

BY_HAND = f"Or fetch it by other means, put it into a folder and set {WEIGHTS_DIR} to that folder."
"""What to do where a download cannot work."""


def from_url(url: str, part: Path, progress: Progress) -> None:
    """Download an address into a file, appending to what the file already holds.

    A server that does not know ranges is read from the start.

    Raises:
        Interrupted: the connection broke; the file keeps what arrived.
        NoSpace: the disk is full; the file keeps what arrived.
        NotThere: the server does not have it.
        PullFailed: the server refused, or cannot be reached, or the file cannot be written.
    """
    have = part.stat().st_size if part.exists() else 0
    try:
        with _open(url, have) as response:
            if response.headers.get_content_type() == "text/html":
                raise PullFailed(
                    f"{url}: a web page came instead of the file, such as a proxy's or a login page",
                    hint="Open the address in a browser to see what it wants, or use --mirror BASE. "
                    + BY_HAND,
                )
            start, total = _extent(response, have)
            if start not in (0, have):
                raise PullFailed(f"{url}: the server sent another range than was asked for", hint=BY_HAND)
            advanced = progress.started(part.stem, start, total)
            with opened(part, "ab" if start else "wb") as file:
                size = start + copy(response, file, advanced)
    except HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            if _total(error.headers.get("Content-Range")) == have:
                return  # an earlier attempt had ended just before the file was put in place
            part.unlink()
            from_url(url, part, progress)
            return
        error.close()
        kind = NotThere if error.code == http.client.NOT_FOUND else PullFailed
        raise kind(f"{url}: the server answered {error.code} {error.reason}", hint=BY_HAND) from error
    except URLError as error:
        host = urlsplit(url).netloc
        raise PullFailed(
            f"{url}: {host} cannot be reached ({error.reason})",
            hint="Check the network and run the command again, or use --mirror BASE. " + BY_HAND,
        ) from error
    except (http.client.HTTPException, OSError) as error:
        # Failures to write have become a PullFailed by now: this is the connection.
        raise _interrupted(url, part, str(error) or type(error).__name__) from error
    if total is not None and size < total:
        raise _interrupted(url, part, f"{size} of {total} bytes arrived")


def read_text(url: str) -> str:
    """A small text behind an address.

    Raises:
        PullFailed: it cannot be had.
    """
    try:
        with _open(url, 0) as response:
            return response.read(_CHUNK).decode("utf-8")
    except (OSError, http.client.HTTPException, UnicodeDecodeError) as error:
        raise PullFailed(f"{url}: {error}", hint=BY_HAND) from error


def from_file(path: Path, part: Path, progress: Progress) -> None:
    """Copy a local file.

    Raises:
        NotThere: there is no such file.
        NoSpace: the disk is full.
        PullFailed: it cannot be read or written.
    """
    try:
        with path.open("rb") as source:
            advanced = progress.started(part.stem, 0, path.stat().st_size)
            with opened(part, "wb") as file:
                copy(source, file, advanced)
    except FileNotFoundError as error:
        raise NotThere(f"{path}: there is no such file", hint=BY_HAND) from error
    except OSError as error:
        raise PullFailed(f"{path}: it cannot be read ({error.strerror})", hint="Check the path.") from error


def opened(part: Path, mode: str) -> IO[bytes]:
    """A file to write without a buffer, so that a full disk shows at once.

    Raises:
        PullFailed: it cannot be opened.
    """
    try:
        return part.open(mode, buffering=0)
    except OSError as error:
        raise not_writable(part, error) from error


def copy(source: IO[bytes] | http.client.HTTPResponse, file: IO[bytes], advanced: Advanced) -> int:
    """Write everything that comes; returns how many bytes came.

    Raises:
        NoSpace: the disk is full.
        PullFailed: the file cannot be written.
    """
    count = 0
    while chunk := source.read(_CHUNK):
        _write_all(file, chunk)
        count += len(chunk)
        advanced(len(chunk))
    return count


def not_writable(path: Path, error: OSError) -> PullFailed:
    """The error for a place that cannot be written to."""
    if error.errno in _FULL:
        return NoSpace(
            f"{path}: there is no space left ({error.strerror})",
            hint=f"Free some space, or set {WEIGHTS_DIR} to a folder on another disk; then run it again.",
        )
    return PullFailed(
        f"{path}: it cannot be written ({error.strerror})",
        hint=f"Set {WEIGHTS_DIR} to a folder that can be written to.",
    )


def _open(url: str, have: int) -> http.client.HTTPResponse:
    if urlsplit(url).scheme not in {"http", "https"}:
        raise PullFailed(f"{url}: only http and https addresses can be downloaded")
    headers = {"User-Agent": "ipvg-eval", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    response: http.client.HTTPResponse = urlopen(  # noqa: S310 - the scheme is checked above
        Request(url, headers=headers),  # noqa: S310
        timeout=_TIMEOUT,
    )
    return response


def _extent(response: http.client.HTTPResponse, have: int) -> tuple[int, int | None]:
    """First byte that the response carries, and the size of the whole."""
    length = response.headers.get("Content-Length")
    if response.status != http.client.PARTIAL_CONTENT:
        return 0, int(length) if length else None
    match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    start = int(match[1]) if match and match[1] else have
    return start, start + int(length) if length else None


def _total(content_range: str | None) -> int | None:
    match = _RANGE.fullmatch(content_range or "")
    return int(match[2]) if match and match[2] != "*" else None


def _write_all(file: IO[bytes], data: bytes) -> None:
    view = memoryview(data)
    try:
        while view:
            view = view[file.write(view) :]
    except OSError as error:
        raise not_writable(Path(file.name), error) from error


def _interrupted(url: str, part: Path, what: str) -> Interrupted:
    return Interrupted(
        f"{url}: the connection broke ({what})",
        hint=f"Run the command again: it goes on from {part}.",
    )
