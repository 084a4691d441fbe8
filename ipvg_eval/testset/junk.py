"""Files that operating systems leave behind and nobody means to hand in."""

from __future__ import annotations

_NAMES = frozenset(
    {
        *(
            "__macosx",
            ".ds_store",
            ".appledouble",
            ".spotlight-v100",
            ".fseventsd",
            ".temporaryitems",
            "icon\r",
        ),
        *("thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "system volume information"),
        *(".directory", "lost+found", "@eadir"),
    }
)
_STARTS = ("._", ".git", ".Trash", "~$", ".~lock.")


def is_junk(relative: str) -> bool:
    """Whether any part of a relative path with forward slashes is left over by an operating system."""
    parts = relative.rstrip("/").split("/")
    return any(part.lower() in _NAMES or part.startswith(_STARTS) for part in parts)
