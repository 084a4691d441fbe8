"""Files that operating systems leave behind and nobody means to hand in."""

from __future__ import annotations

_NAMES = frozenset(
    {"__macosx", ".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", ".directory", "icon\r"}
)


def is_junk(relative: str) -> bool:
    """Whether any part of a relative path with forward slashes is left over by an operating system."""
    parts = relative.rstrip("/").split("/")
    return any(part.lower() in _NAMES or part.startswith(("._", ".git", ".Trash")) for part in parts)
