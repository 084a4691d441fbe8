"""Embeddings kept beside a run's rows, one file per sample."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ipvg_eval.core.bounded import LARGEST_TABLE, OutOfBounds, open_regular
from ipvg_eval.core.measurement import FrameFeatures
from ipvg_eval.results.files import replacing, unreadable


def write_features(path: Path, features: Mapping[str, FrameFeatures]) -> None:
    """Keep a sample's embeddings, by metric; where there are none, no file is left from an earlier video."""
    if not features:
        path.unlink(missing_ok=True)
        return
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    for name, kept in features.items():
        arrays[f"{name}.indices"] = np.asarray(kept.indices, dtype=np.int64)
        arrays[f"{name}.rows"] = kept.rows
        if kept.reference is not None:
            arrays[f"{name}.reference"] = kept.reference
        if kept.reference_rows is not None:
            arrays[f"{name}.reference_rows"] = kept.reference_rows
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def read_features(path: Path) -> dict[str, FrameFeatures]:
    """A sample's embeddings, by metric; empty where none were kept.

    Raises:
        RunError: the file is damaged.
    """
    if not path.exists():
        return {}
    try:
        with open_regular(path, most=LARGEST_TABLE) as opened, np.load(opened, allow_pickle=False) as file:
            _check_size(file)
            arrays = {name: file[name] for name in file.files}
        names = dict.fromkeys(name.rpartition(".")[0] for name in arrays)
        return {
            name: FrameFeatures(
                indices=tuple(arrays[f"{name}.indices"].tolist()),
                rows=arrays[f"{name}.rows"],
                reference=arrays.get(f"{name}.reference"),
                reference_rows=arrays.get(f"{name}.reference_rows"),
            )
            for name in names
        }
    except (OSError, ValueError, KeyError, EOFError, MemoryError, zipfile.BadZipFile) as error:
        raise unreadable(path, error) from error


def _check_size(file: np.lib.npyio.NpzFile) -> None:
    size = sum(member.file_size for member in file.zip.infolist()) if file.zip is not None else 0
    if size > LARGEST_TABLE:
        raise OutOfBounds(f"it unfolds to {size:,} bytes, at most {LARGEST_TABLE:,} are taken")
