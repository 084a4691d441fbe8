"""Names inside a submission: which are safe, and how they are compared and shown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from ipvg_eval.core.printable import printable
from ipvg_eval.findings import Finding, Severity

ARCHIVE_SUFFIXES = (".zip", ".7z", ".rar", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst")
_MAX_NAME_BYTES = 1024
_DRIVE = re.compile(r"[A-Za-z]:")


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Why an entry is not used; becomes a finding once its path is known."""

    code: str
    message: str
    action: str

    def finding(self, name: str) -> Finding:
        """The finding about the entry of this name."""
        return Finding(
            code=self.code,
            severity=Severity.ERROR,
            path=printable(name),
            message=self.message,
            action=self.action,
        )


def normalise(name: str) -> str:
    """One spelling per path: Unicode composed, no empty or "." parts, no trailing slash."""
    composed = unicodedata.normalize("NFC", name)
    return "/".join(part for part in composed.split("/") if part not in ("", "."))


def name_problem(name: str) -> Problem | None:
    """What makes a member's name unsafe to use, or None.

    Absolute paths, drive letters, "..", backslashes, control characters and over-long names.
    """
    if name.startswith(("/", "\\")) or _DRIVE.match(name):
        return Problem(
            code="absolute-path",
            message="The name is an absolute path.",
            action="Pack the files with relative names.",
        )
    if ".." in re.split(r"[/\\]", name):
        return Problem(
            code="path-traversal",
            message='The name climbs out of the submission with "..".',
            action="Pack the files from inside the submission's folder.",
        )
    if (size := len(name.encode("utf-8", "replace"))) > _MAX_NAME_BYTES:
        return Problem(
            code="unsafe-name",
            message=f"The name has {size:,} bytes; at most {_MAX_NAME_BYTES:,} are read.",
            action="Give it a shorter name.",
        )
    if odd := [one for one in dict.fromkeys(name) if not one.isprintable()]:
        return Problem(
            code="unsafe-name",
            message=f"The name holds {', '.join(map(_said, odd[:3]))}, which cannot be seen.",
            action="Rename the file with plain characters.",
        )
    if "\\" in name:
        return Problem(
            code="backslash-path",
            message="The name separates folders by backslashes.",
            action=f"Pack it as {printable(normalise(name.replace(chr(92), '/')))}.",
        )
    if not normalise(name):
        return Problem(code="unsafe-name", message="The name is empty.", action="Remove the entry.")
    return None


def _said(character: str) -> str:
    name = unicodedata.name(character, "control character").lower()
    return f"U+{ord(character):04X} ({name})"


def archive_problem(name: str) -> Problem | None:
    """The problem of an archive inside the submission, or None if the name is no archive's."""
    if not name.lower().endswith(ARCHIVE_SUFFIXES):
        return None
    return Problem(
        code="nested-archive",
        message="An archive inside the submission is not opened.",
        action="Put its videos into the submission directly and remove the archive.",
    )


def name_clashes(names: Iterable[str]) -> dict[str, str]:
    """Names that are one file on some system, each mapped to the first of its group.

    Names clash when they are equal, or differ in case or Unicode form only. The first of a group is mapped
    to itself. Names without a clash are left out.
    """
    groups: dict[str, list[str]] = {}
    for name in names:
        folded = unicodedata.normalize("NFC", normalise(name).casefold())
        groups.setdefault(folded, []).append(name)
    return {name: group[0] for group in groups.values() if len(group) > 1 for name in group}


def clash_problem(first: str) -> Problem:
    """The problem of a second file with the name of another."""
    return Problem(
        code="duplicate-name",
        message=f"The name clashes with {printable(first)}: equal, or equal but for case or Unicode form.",
        action="Keep one of the two files; neither is used.",
    )
