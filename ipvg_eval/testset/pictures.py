"""Checking reference pictures: can they be read, and what is their content hash."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ipvg_eval.core.errors import UnreadablePicture
from ipvg_eval.core.pictures import read_rgb

PICTURE_SUFFIXES = (".png", ".webp", ".jpg", ".jpeg")
_THREADS = 8


@dataclass(frozen=True, kw_only=True)
class PictureState:
    """What reading one picture showed.

    Attributes:
        sha256: hex digest of the file's bytes; empty if they cannot be read.
        problem: why the picture cannot be used, or None.
    """

    sha256: str
    problem: str | None


def is_picture(path: Path) -> bool:
    """Whether the name ends like a reference picture's (upper case too)."""
    return path.suffix.lower() in PICTURE_SUFFIXES


def read_pictures(paths: Iterable[Path]) -> dict[Path, PictureState]:
    """The state of each picture, read exactly as scoring will read it; each file once."""
    unique = list(dict.fromkeys(paths))
    threads = min(_THREADS, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads) as pool:
        return dict(zip(unique, pool.map(_read_picture, unique), strict=True))


def _read_picture(path: Path) -> PictureState:
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        return PictureState(sha256="", problem=f"it cannot be opened: {error.strerror or error}")
    try:
        read_rgb(path)
    except UnreadablePicture as error:
        return PictureState(sha256=digest, problem=error.message)
    return PictureState(sha256=digest, problem=None)
