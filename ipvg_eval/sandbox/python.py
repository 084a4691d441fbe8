"""How a Python process of ours is started, in whatever folder the command itself was."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def module_command(module: str) -> list[str]:
    """The words that run an installed module.

    `-P` keeps the current folder off the import path: a file there called numpy.py must stay a file.
    """
    return [sys.executable, "-P", "-m", module]


def absolute_python_path(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without the entries of PYTHONPATH that mean a place beside the current folder.

    An empty entry means the current folder itself.
    """
    cleaned = dict(environment)
    entries = cleaned.pop("PYTHONPATH", "").split(os.pathsep)
    if kept := [entry for entry in entries if Path(entry).is_absolute()]:
        cleaned["PYTHONPATH"] = os.pathsep.join(kept)
    return cleaned
