"""The folder that packing a folder, instead of what is in it, puts around a submission."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ipvg_eval.core.printable import printable
from ipvg_eval.findings import Finding, Severity

_IDENTITY = re.compile(r"id[ _-]?[0-9]+", re.IGNORECASE)
_NUMBERED = re.compile(r"[0-9]+\.mp4", re.IGNORECASE)


def wrapping_folder(names: Iterable[str]) -> str | None:
    """The one top-level folder around all files, or None.

    An identity's own folder is no wrapper: below a wrapper lie folders with videos, or numbered videos.

    Args:
        names: normalised relative paths of all files.
    """
    paths = [name.split("/") for name in names]
    tops = {path[0] for path in paths}
    if len(tops) != 1 or any(len(path) == 1 for path in paths):
        return None
    top = tops.pop()
    if _IDENTITY.fullmatch(top):
        return None
    inner = [path[1:] for path in paths if path[-1].lower().endswith(".mp4")]
    below_folders = any(len(path) > 1 for path in inner)
    numbered = bool(inner) and all(len(p) == 1 and _NUMBERED.fullmatch(p[0]) for p in inner)
    return top if below_folders or numbered else None


def wrapper_finding(wrapper: str) -> Finding:
    """The warning about an accepted wrapping folder."""
    return Finding(
        code="wrapping-folder",
        severity=Severity.WARNING,
        path=f"{printable(wrapper)}/",
        message="All files lie in one more folder than the rules ask for; it is accepted.",
        action="Pack the folder's contents instead of the folder.",
    )
