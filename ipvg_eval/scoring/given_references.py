"""Reference pictures as somebody gives them: paths, Pillow's pictures, arrays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ipvg_eval.core.errors import UnreadablePicture, UsageError
from ipvg_eval.core.pictures import PictureInMemory, read_picture
from ipvg_eval.metrics.reference_cache import ReferenceCache
from ipvg_eval.metrics.target import Reference
from ipvg_eval.scoring.checked_arrays import checked_pixels, is_tensor


def given_references(given: Any) -> tuple[Reference, ...]:
    """One reference picture, or several in a list, as a sample has them.

    A file is read here, once: what changes on disk later is another picture.

    Args:
        given: paths, Pillow's pictures, arrays (height, width, 3) or torch tensors (3, height, width), uint8.

    Raises:
        UsageError: one is none of these, or cannot be read.
    """
    each: Sequence[Any] = given if isinstance(given, list | tuple) else [given]
    return tuple(_reference(one, number) for number, one in enumerate(each, start=1))


def _reference(given: Any, number: int) -> Reference:
    if isinstance(given, str | Path):
        path = Path(given)
        picture = PictureInMemory(_content(path))
    else:
        path, picture = Path(f"reference {number}"), _in_memory(given)
    if (problem := _problem(picture)) is not None:
        raise UsageError(problem, path=path, hint="Give a png, webp or jpg file, or an array.")
    return Reference(path=path, in_memory=picture)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"this reference picture cannot be opened ({error.strerror or error})",
            path=path,
            hint="Check the path.",
        ) from error


def _in_memory(given: Any) -> PictureInMemory:
    if isinstance(given, Image.Image):
        try:
            return PictureInMemory(given)
        except Exception as error:  # Pillow reads files late, and its decoders raise whatever they like
            raise UsageError(f"a reference picture cannot be read ({error})") from error
    if isinstance(given, np.ndarray) or is_tensor(given):
        return PictureInMemory.of_pixels(checked_pixels(given))
    raise UsageError(
        f"a reference picture cannot be a {type(given).__name__}",
        hint="Give a path, a picture of Pillow's, or an array (height, width, 3) uint8.",
    )


def _looked_at(picture: PictureInMemory) -> str | None:
    try:
        read_picture(picture)
    except UnreadablePicture as error:
        return error.message
    return None


_problem = ReferenceCache(_looked_at)
