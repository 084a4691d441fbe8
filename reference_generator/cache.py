"""Where the package keeps what it can make again."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """`ipvg-eval` in the platform's cache folder, which XDG_CACHE_HOME moves."""
    named = os.environ.get("XDG_CACHE_HOME")
    if named:
        return Path(named).expanduser() / "ipvg-eval"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "ipvg-eval"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "ipvg-eval"
    return Path.home() / ".cache" / "ipvg-eval"
