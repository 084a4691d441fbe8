"""Checksums of a run folder: any later change shows, and names its file."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ipvg_eval.core.bounded import read_bounded
from ipvg_eval.core.run_folder import check_run_folder
from ipvg_eval.errors import RunError
from ipvg_eval.results.files import write_text

FILE_NAME = "SHA256SUMS"
SIGNATURE_NAME = "SHA256SUMS.sig"
UNCOVERED = frozenset({FILE_NAME, SIGNATURE_NAME, "report.html", "audit.json", "profile.csv"})
"""Made from the run at any later time, so not covered; hidden files are not either."""

_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")


@dataclass(frozen=True, kw_only=True)
class FolderCheck:
    """A run folder compared with its checksums; paths are relative, with forward slashes.

    Attributes:
        files: how many files the checksums name.
        changed: files whose content is another one.
        missing: files that are gone.
        added: files that the checksums do not name.
    """

    files: int
    changed: tuple[str, ...]
    missing: tuple[str, ...]
    added: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Nothing differs."""
        return not (self.changed or self.missing or self.added)


def write_checksums(folder: Path) -> None:
    """Write SHA256SUMS, in the format of `sha256sum`, and remove a signature of an earlier state."""
    lines = (f"{_digest(folder / name)}  {name}\n" for name in sorted(_covered(folder)))
    write_text(folder / FILE_NAME, "".join(lines))
    (folder / SIGNATURE_NAME).unlink(missing_ok=True)


def check_folder(folder: Path) -> FolderCheck:
    """Compare every file of a run with its checksum.

    Raises:
        NotARun: the folder is no run.
        RunError: there are no checksums, or they cannot be read.
    """
    check_run_folder(folder)
    named = read_checksums(folder)
    there = set(_covered(folder))
    try:
        changed = [name for name in named if name in there and _differs(folder / name, named[name])]
    except OSError as error:
        raise RunError(
            f"cannot be read ({error.strerror or error})",
            path=error.filename or folder,
            hint="Check the folder and its permissions.",
        ) from error
    return FolderCheck(
        files=len(named),
        changed=tuple(changed),
        missing=tuple(name for name in named if name not in there),
        added=tuple(sorted(there - named.keys())),
    )


def read_checksums(folder: Path) -> Mapping[str, str]:
    """sha256 by relative path, as SHA256SUMS says.

    Raises:
        RunError: the file is missing or damaged.
    """
    path = folder / FILE_NAME
    try:
        lines = read_bounded(path).decode("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise RunError(
            f"the checksums of this run cannot be read ({error})",
            path=path,
            hint="Score again with the same arguments; finished samples are not measured again.",
        ) from error
    found = [_LINE.fullmatch(line) for line in lines]
    if not lines or None in found:
        raise RunError("this is no list of checksums", path=path, hint="Restore the run from its original.")
    return {match[2]: match[1] for match in found if match is not None}


def _covered(folder: Path) -> Iterator[str]:
    """Relative paths of the files that checksums cover; links are covered by what they lead to."""
    for current, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            relative = Path(current, name).relative_to(folder).as_posix()
            if relative not in UNCOVERED and not name.startswith("."):
                yield relative


def _differs(path: Path, digest: str) -> bool:
    """Whether the content is another one; a pipe or device in a file's place is not read."""
    return not path.is_file() or _digest(path) != digest


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
