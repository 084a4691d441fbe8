"""Where a weight may lie: by its name, and by its hash in a folder that was filled by hand."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

from ipvg_eval.metrics.weight_file import Bundled, HubFile, HubFolder, WeightFile
from ipvg_eval.metrics.weights import hub
from ipvg_eval.metrics.weights.hashes import HashCache
from ipvg_eval.metrics.weights.places import WEIGHTS_DIR, Places

_LEAST_WEIGHT_BYTES = 1 << 20
"""Files below this size are not hashed in search of a weight of unknown size."""

Candidate = tuple[str, Path]
"""Name of the place, and the path in it."""


class WeightsFolder:
    """The files of a folder that a person fills, listed once.

    Links to folders are followed, each folder once; hidden folders are left out.
    """

    def __init__(self, root: Path | None) -> None:
        self.root = root
        self._files: list[Path] | None = None
        self._folders: list[Path] = []

    def named(self, weight: WeightFile) -> Iterator[Path]:
        """Files, or folders, with the weight's name, at any depth."""
        files, folders = self._listing()
        yield from (
            path for path in (folders if weight.is_folder else files) if path.name == weight.file_name
        )

    def identified(self, weight: WeightFile, hashes: HashCache) -> Iterator[Path]:
        """Files with the weight's hash, whatever their name."""
        if weight.is_folder:
            return
        for path in self._listing()[0]:
            try:
                size = path.stat().st_size
                likely = size == weight.size if weight.size is not None else size >= _LEAST_WEIGHT_BYTES
                if likely and path.name != weight.file_name and weight.matches(hashes.sha256(path)):
                    yield path
            except OSError:
                continue  # a file that cannot be read cannot be the one

    def _listing(self) -> tuple[list[Path], list[Path]]:
        if self._files is None:
            self._files = []
            seen: set[str] = set()
            for folder, names, files in os.walk(self.root, followlinks=True) if self.root else ():
                if (real := os.path.realpath(folder)) in seen:
                    names.clear()
                    continue
                seen.add(real)
                names[:] = sorted(name for name in names if not name.startswith("."))
                self._folders += [Path(folder) / name for name in names]
                self._files += [Path(folder) / name for name in sorted(files)]
        return self._files, self._folders


def candidates(
    weight: WeightFile, places: Places, folder: WeightsFolder, hashes: HashCache
) -> Iterator[Candidate]:
    """Paths where a weight may be, the place to prefer first. None of them is checked."""
    source = weight.source
    if isinstance(source, Bundled):
        # The package is located, not imported: importing it would load torch.
        found = importlib.util.find_spec(source.package)
        for root in (found.submodule_search_locations or ()) if found is not None else ():
            yield f"package {source.distribution}", Path(root) / source.folder
        return
    for path in (*folder.named(weight), *folder.identified(weight, hashes)):
        yield WEIGHTS_DIR, path
    if (own := places.cache_dir / weight.file_name).exists():
        yield "cache", own
    if isinstance(source, HubFile | HubFolder) and (path_or_none := hub.cached(source, places.hub_cache)):
        yield "Hugging Face cache", path_or_none
    if not weight.is_folder:
        for shared in places.shared:
            if (path := shared / weight.file_name).exists():
                yield str(shared), path
