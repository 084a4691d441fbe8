"""Writing files so that a reader never meets half of one, and reading them back."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from ipvg_eval.core.bounded import read_bounded
from ipvg_eval.errors import RunError

_Content = TypeVar("_Content")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place when the block ends well.

    The content is on disk before the name changes, so a crash leaves the old file or the new one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file in one step, with line feeds on every platform."""
    with replacing(path) as temporary:
        temporary.write_bytes(text.encode("utf-8"))


def read_json(path: Path, parse: Callable[[str], _Content]) -> _Content:
    """Read a JSON file of a run.

    Raises:
        RunError: it is missing or damaged.
    """
    try:
        return parse(read_bounded(path).decode("utf-8"))
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> RunError:
    """The error for a file of a run that is missing or damaged."""
    return RunError(
        f"this file of a run cannot be read ({_reason(error)})",
        path=path,
        hint="Score again with the same arguments; finished samples are not measured again.",
    )


def _reason(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error).partition("\n")[0]
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    if where == "format":
        return f"its format is {first['input']!r}: another version of ipvg-eval wrote it"
    return f"{where}: {first['msg']}" if where else first["msg"]
