"""Is this folder a run? If not, what is it?"""

from __future__ import annotations

import os
from pathlib import Path

from ipvg_eval.core.errors import UsageError

_SHOWN = 3


class NotARun(UsageError):
    """The path that was given is no run folder."""


def check_run_folder(path: Path) -> None:
    """See that a path is a run folder.

    Raises:
        NotARun: it is not; the message says what was found there and what to give instead.
    """
    if os.path.lexists(path / "run.json"):
        return  # whatever it is: reading it says what is wrong with it
    what, hint = _found(path)
    raise NotARun(what, path=path, hint=hint)


def _found(path: Path) -> tuple[str, str]:
    give = "Give the folder that `ipvg-eval score` wrote."
    if not path.exists():
        return "does not exist: there is no run folder, and no run.json", give
    if path.name == "run.json":
        return (
            "this is no run folder: run.json is a file of one, or should be",
            f"Give the folder {path.parent}.",
        )
    if not path.is_dir():
        return "this is a file, not a run folder, so it has no run.json", give
    runs = sorted(inner.name for inner in path.iterdir() if (inner / "run.json").is_file())
    if runs:
        rest = f" and {len(runs) - _SHOWN} more" if len(runs) > _SHOWN else ""
        return (
            f"this is not a run folder: it has no run.json, but holds {len(runs)} of them: "
            f"{', '.join(runs[:_SHOWN])}{rest}",
            f"Give one of them, or all where several are asked for: {path / '*'}",
        )
    if next(path.rglob("*.mp4"), None) is not None:
        return (
            "this is not a run folder: it has no run.json; it holds videos, as a submission does",
            "Score it with `ipvg-eval score`, and give the folder that writes.",
        )
    return "this is not a run folder: it has no run.json", give
