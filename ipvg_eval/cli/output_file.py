"""See that a file can be written before hours of work end in it."""

from __future__ import annotations

import os
from pathlib import Path

from ipvg_eval.core.errors import UsageError


def expect_writable(path: Path | None, *, endings: tuple[str, ...]) -> None:
    """See that a result can be written to a path.

    Args:
        path: the file; nothing to see where None or "-", which is stdout.
        endings: of the names that a file which is there already may have, such as ".csv".

    Raises:
        UsageError: it is a folder, a file of another kind is there, or its folder is not to be written.
    """
    if path is None or str(path) == "-":
        return
    if path.is_dir():
        raise UsageError("this is a folder", path=path, hint="Name a file in it.")
    if path.exists() and path.suffix.lower() not in endings:
        raise UsageError(
            "a file of another kind is there already",
            path=path,
            hint=f"Name a file that ends in {' or '.join(endings)}.",
        )
    folder = next(above for above in path.absolute().parents if above.exists())
    if not folder.is_dir() or not os.access(path if path.exists() else folder, os.W_OK):
        raise UsageError("nothing can be written here", path=path, hint="Name a file elsewhere.")
