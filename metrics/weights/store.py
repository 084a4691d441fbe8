"""Finds declared weights on this machine and checks them before anything uses them. Never connects."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.weight_file import Bundled, WeightFile
from ipvg_eval.metrics.weights import folders
from ipvg_eval.metrics.weights.hashes import HashCache
from ipvg_eval.metrics.weights.places import WEIGHTS_DIR, Places
from ipvg_eval.metrics.weights.search import WeightsFolder, candidates
from ipvg_eval.metrics.weights.sizes import readable_size
from ipvg_eval.metrics.weights.table import WEIGHTS, declared

RECORD = "hashes.json"
"""File in our cache that remembers which files were verified."""

_LINE_SPEED = 100e6  # bits per second


@dataclass(frozen=True, kw_only=True)
class Found:
    """A verified weight.

    Attributes:
        path: the file, or the folder where it is several files.
        sha256: its sha256; for a folder that of its list of hashes.
        where: the place it was found in.
    """

    path: Path
    sha256: str
    where: str


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """Something with a weight's name that is not the declared weight, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, kw_only=True)
class LookUp:
    """What a search for one weight came to.

    Attributes:
        weight: what was searched.
        found: the first verified candidate, None if there is none.
        rejected: the candidates before it that failed.
    """

    weight: WeightFile
    found: Found | None
    rejected: tuple[Rejected, ...]


class ResolvedWeights:
    """Weights that were all found and verified; a `ipvg_eval.metrics.runtime.WeightSource`."""

    random_seed: int | None = None

    def __init__(self, found: Mapping[str, Found]) -> None:
        self._found = dict(found)

    def path(self, name: str) -> Path:
        """The local file or folder of a weight.

        Raises:
            WeightsMissing: it was not among those resolved.
        """
        return self._get(name).path

    def sha256(self, name: str) -> str:
        """Its sha256; for a folder that of its list of hashes.

        Raises:
            WeightsMissing: it was not among those resolved.
        """
        return self._get(name).sha256

    def _get(self, name: str) -> Found:
        if name not in self._found:
            raise WeightsMissing(
                f"the weight {name!r} was not resolved before the run",
                hint="The evaluator must name it in required_weights.",
            )
        return self._found[name]


class WeightStore:
    """The weights of this machine; a `ipvg_eval.metrics.runtime.WeightSource` that looks when it is asked.

    Args:
        table: the declared weights.
        places: where to look; what the environment says if left out.
        fresh: hash every file anew instead of trusting the record of earlier verifications.
    """

    random_seed: int | None = None

    def __init__(
        self,
        table: Mapping[str, WeightFile] = WEIGHTS,
        places: Places | None = None,
        *,
        fresh: bool = False,
    ) -> None:
        self.table = table
        self.places = places or Places.from_environment()
        self.hashes = HashCache(self.places.cache_dir / RECORD, fresh=fresh)
        self._folder = WeightsFolder(self.places.weights_dir)

    def path(self, name: str) -> Path:
        """The local file or folder of a weight, verified.

        Raises:
            ProtocolError: no weight has this name.
            WeightsMissing: it is not on this machine.
        """
        return self.resolve([name]).path(name)

    def sha256(self, name: str) -> str:
        """Its sha256; for a folder that of its list of hashes. Raises as `path` does."""
        return self.resolve([name]).sha256(name)

    def resolve(self, names: Iterable[str], *, optional: Iterable[str] = ()) -> ResolvedWeights:
        """Find and verify weights, all of them before the first frame.

        Args:
            names: weights that are needed.
            optional: weights that may be missing, but not be wrong.

        Raises:
            ProtocolError: a name is not in the table.
            WeightsMissing: one error for all that is missing, with sources, sizes, terms and the command.
        """
        needed = tuple(names)
        results = {name: self.look_up(name) for name in dict.fromkeys((*needed, *optional))}
        missing = [
            result
            for name, result in results.items()
            if result.found is None and (name in needed or result.rejected)
        ]
        if missing:
            raise WeightsMissing(_message(missing), hint=_hint(missing, self.places))
        return ResolvedWeights({name: result.found for name, result in results.items() if result.found})

    def look_up(self, name: str) -> LookUp:
        """Search the places in order for a weight, by name or file name.

        Raises:
            ProtocolError: no weight has this name.
        """
        weight = declared(name, self.table)
        rejected: list[Rejected] = []
        for where, path in candidates(weight, self.places, self._folder, self.hashes):
            outcome = self.check(weight, path, where)
            if isinstance(outcome, Found):
                return LookUp(weight=weight, found=outcome, rejected=tuple(rejected))
            rejected.append(outcome)
        return LookUp(weight=weight, found=None, rejected=tuple(rejected))

    def refresh(self) -> None:
        """Forget the listing of the weights folder, after files were added to it."""
        self._folder = WeightsFolder(self.places.weights_dir)

    def check(self, weight: WeightFile, path: Path, where: str) -> Found | Rejected:
        """Whether a file or folder is the declared weight."""
        try:
            if not weight.is_folder:
                actual = self.hashes.sha256(path)
            elif isinstance(weight.source, Bundled):
                actual = folders.digest(
                    {name: self.hashes.sha256(path / name) for name in weight.source.files}
                )
            else:
                actual = self._folder_digest(path, weight.file_hashes)
        except OSError as error:
            return Rejected(path=path, reason=f"it cannot be read ({error.strerror})")
        except ValueError as error:
            return Rejected(path=path, reason=str(error))
        if not weight.matches(actual):
            return Rejected(path=path, reason=f"its sha256 is {actual}, declared is {weight.sha256}")
        return Found(path=path, sha256=actual, where=where)

    def _folder_digest(self, folder: Path, declared_sums: Mapping[str, str]) -> str:
        if lack := folders.missing_part(folder):
            raise ValueError(lack)
        recorded = {**folders.recorded_sums(folder), **declared_sums}
        sums = {name: self.hashes.sha256(folder / name) for name in folders.model_files(folder)}
        for name in sorted(recorded):
            if name not in sums:
                raise ValueError(f"{name} is missing")
            if sums[name] != recorded[name]:
                raise ValueError(f"the sha256 of {name} is {sums[name]}, recorded is {recorded[name]}")
        return folders.digest(sums)


def describe(weight: WeightFile) -> str:
    """A weight in one line: name, size, source, terms, note."""
    terms = f"NON-COMMERCIAL: {weight.licence}" if weight.non_commercial else weight.licence
    note = f"; {weight.note}" if weight.note else ""
    return f"{weight.name} ({readable_size(weight.size)}) from {weight.source}; {terms}{note}"


def _message(missing: Iterable[LookUp]) -> str:
    lines = []
    for result in missing:
        lines.append("  " + describe(result.weight))
        lines += [f"    not used: {item.path}: {item.reason}" for item in result.rejected]
    count = sum(1 for _ in missing)
    head = "1 weight is not on this machine:" if count == 1 else f"{count} weights are not on this machine:"
    return "\n".join([head, *lines])


def _cost(missing: Iterable[LookUp], places: Places) -> str:
    """What fetching costs in bytes, free disk and time."""
    sizes = [item.weight.size for item in missing if not isinstance(item.weight.source, Bundled)]
    known = sum(size for size in sizes if size is not None)
    unknown = f" and {sizes.count(None)} of unknown size" if None in sizes else ""
    there = next(folder for folder in (places.target, *places.target.parents) if folder.exists())
    free = readable_size(shutil.disk_usage(there).free)
    minutes = max(1, round(known * 8 / _LINE_SPEED / 60))
    return (
        f"That is {readable_size(known)}{unknown}, about {minutes} min at 100 Mbit/s; "
        f"{free} are free at {places.target}."
    )


def _hint(missing: Iterable[LookUp], places: Places) -> str:
    parts = []
    pullable = [item.weight.name for item in missing if not isinstance(item.weight.source, Bundled)]
    if pullable:
        parts.append(
            f"Run: ipvg-eval weights pull {' '.join(pullable)}\n{_cost(missing, places)}\n"
            f"Without a network: put the files into a folder, under any name, and set {WEIGHTS_DIR} to it."
        )
    packages = {
        item.weight.source.distribution for item in missing if isinstance(item.weight.source, Bundled)
    }
    parts += [f"Run: pip install {package}" for package in sorted(packages)]
    if places.weights_dir is not None and not places.weights_dir.is_dir():
        parts.append(f"{WEIGHTS_DIR} is set to {places.weights_dir}, which is not a folder.")
    return "\n".join(parts)
