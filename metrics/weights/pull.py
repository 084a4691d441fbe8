"""Bring declared weights to this machine: `ipvg-eval weights pull`.

A mirror has the layout of a weights folder that was pulled into: `BASE/FILE` for a single file,
`BASE/FOLDER/FILE` with `BASE/FOLDER/SHA256SUMS` for a model folder. For a file that is published inside an
archive, `BASE/ARCHIVE` serves as well.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.weight_file import (
    ArchiveMember,
    Bundled,
    HubFile,
    HubFolder,
    ReleaseAsset,
    WeightFile,
)
from ipvg_eval.metrics.weights import hub, install, transfer
from ipvg_eval.metrics.weights.errors import NoSpace, NotThere, PullFailed
from ipvg_eval.metrics.weights.mirror import Mirror
from ipvg_eval.metrics.weights.places import WEIGHTS_DIR, hub_offline
from ipvg_eval.metrics.weights.progress import Progress, Silent
from ipvg_eval.metrics.weights.sizes import readable_size
from ipvg_eval.metrics.weights.store import Found, Rejected, WeightStore, describe

STAGING = ".downloads"
"""Hidden folder in the weights folder for what is not complete yet."""


@dataclass(frozen=True, kw_only=True)
class Pulled:
    """A weight that is now on this machine.

    Attributes:
        found: where it is.
        action: whether anything had to be done.
    """

    weight: WeightFile
    found: Found
    action: Literal["present", "copied", "downloaded"]


def pull(
    name: str,
    *,
    store: WeightStore | None = None,
    mirror: str | None = None,
    progress: Progress | None = None,
) -> Pulled:
    """Bring one weight here, verified, unless it is here already.

    It goes to $IPVG_WEIGHTS_DIR if that is set (copied, where another place of this machine has it), else
    to the cache. Several processes may pull at once: the later one waits and then finds the file.

    Args:
        name: a weight's name or file name.
        store: the store to add to; that of the environment if left out.
        mirror: address or folder to take it from instead of where it is published.
        progress: hears of transfers.

    Raises:
        ProtocolError: no weight has this name.
        WrongHash: what came is not the declared file; it has been removed.
        Interrupted: the connection broke; run again to go on.
        PullFailed: anything else.
    """
    store = store or WeightStore()
    progress = progress or Silent()
    look_up = store.look_up(name)
    weight, found = look_up.weight, look_up.found
    if found is not None and _is_settled(found, store):
        return Pulled(weight=weight, found=found, action="present")
    if isinstance(weight.source, Bundled):
        raise WeightsMissing(describe(weight), hint=f"Run: pip install {weight.source.distribution}")
    with _lock(store, weight, progress):
        store.refresh()
        found = store.look_up(name).found
        if found is not None and _is_settled(found, store):
            return Pulled(weight=weight, found=found, action="present")
        target = store.places.target / weight.file_name
        if found is not None:
            install.copy(weight, found.path, target, staging(store), progress)
        elif mirror is not None:
            _from_mirror(Mirror(mirror), weight, target, store, progress)
        else:
            target = _from_publisher(weight, target, store, progress)
        return Pulled(
            weight=weight,
            found=_checked(store, weight, target),
            action="downloaded" if found is None else "copied",
        )


def staging(store: WeightStore) -> Path:
    """The folder that incomplete files of a store lie in."""
    return store.places.target / STAGING


def _is_settled(found: Found, store: WeightStore) -> bool:
    """Whether nothing is left to do: a weights folder that is set is meant to hold everything itself."""
    return (
        store.places.weights_dir is None or found.where == WEIGHTS_DIR or found.where.startswith("package ")
    )


def _from_publisher(weight: WeightFile, target: Path, store: WeightStore, progress: Progress) -> Path:
    if hub_offline():
        raise PullFailed(
            f"downloads are switched off by HF_HUB_OFFLINE: {describe(weight)}",
            hint="Unset HF_HUB_OFFLINE, or name a mirror with --mirror BASE. " + transfer.BY_HAND,
        )
    refused: list[tuple[object, PullFailed]] = []
    for source in (weight.source, *weight.mirrors):
        try:
            if source is weight.source:
                return _from_source(weight, target, store, progress)
            return _from_other_place(weight, source, target, store, progress)
        except NoSpace:
            raise
        except PullFailed as error:
            refused.append((source, error))
        except WeightsMissing as error:  # the hub's client is not installed; an address needs none
            refused.append((source, PullFailed(error.message, hint=error.hint)))
    if len(refused) == 1:
        raise refused[0][1]
    rows = "\n".join(f"  {source}: {error.message}" for source, error in refused)
    hints = dict.fromkeys(error.hint for _, error in refused if error.hint)
    raise PullFailed(f"{weight.name}: no source delivered it\n{rows}", hint="\n".join(hints))


def _from_source(weight: WeightFile, target: Path, store: WeightStore, progress: Progress) -> Path:
    source = weight.source
    if isinstance(source, HubFile | HubFolder):
        return _from_hub(weight, source, target, store, progress)
    _require_space(weight, source, store.places.target)
    if isinstance(source, ArchiveMember):
        archive = staging(store) / source.archive_name
        install.download(source.url, archive, source.archive_sha256, staging(store), progress)
        _unpack(archive, source, store)
        archive.unlink()
    elif isinstance(source, ReleaseAsset):
        install.download(source.url, target, weight.sha256, staging(store), progress)
    return target


def _from_other_place(
    weight: WeightFile, source: object, target: Path, store: WeightStore, progress: Progress
) -> Path:
    """Into our own folder, also from a hub: in its cache it would be under a name that nobody looks for."""
    if isinstance(source, HubFile):
        cache = staging(store) / "hub"
        path = hub.download(source, cache, progress=progress, size=weight.size)
        install.copy(weight, path, target, staging(store), progress)
        shutil.rmtree(cache / f"models--{source.repository.replace('/', '--')}", ignore_errors=True)
    elif isinstance(source, ReleaseAsset):
        install.download(source.url, target, weight.sha256, staging(store), progress)
    return target


def _from_hub(
    weight: WeightFile, source: HubFile | HubFolder, target: Path, store: WeightStore, progress: Progress
) -> Path:
    """Into the hub's own cache, which other programs share, unless a weights folder is set."""
    if store.places.weights_dir is None:
        path = hub.download(source, store.places.hub_cache, progress=progress, size=weight.size)
        install.refuse_wrong(weight, path, store)
        return path
    cache = staging(store) / "hub"
    path = hub.download(source, cache, progress=progress, size=weight.size)
    install.refuse_wrong(weight, path, store)
    install.copy(weight, path, target, staging(store), progress)
    shutil.rmtree(cache / f"models--{source.repository.replace('/', '--')}", ignore_errors=True)
    return target


def _from_mirror(
    mirror: Mirror, weight: WeightFile, target: Path, store: WeightStore, progress: Progress
) -> None:
    if weight.is_folder:
        mirror.fetch_folder(weight, target, staging(store), progress)
        return
    try:
        mirror.fetch(weight.file_name, target, weight.sha256, staging(store), progress)
    except NotThere as error:
        source = weight.source
        if not isinstance(source, ArchiveMember):
            raise
        archive = staging(store) / source.archive_name
        try:
            mirror.fetch(source.archive_name, archive, source.archive_sha256, staging(store), progress)
        except NotThere:
            raise error from None
        _unpack(archive, source, store)
        archive.unlink()


def _unpack(archive: Path, source: ArchiveMember, store: WeightStore) -> None:
    """Take every declared member, one by one, so that the archive is downloaded once for all of them."""
    for weight in store.table.values():
        if isinstance(weight.source, ArchiveMember) and weight.source.url == source.url:
            install.extract(archive, weight.source.member, weight, store.places.target, staging(store))


def _checked(store: WeightStore, weight: WeightFile, target: Path) -> Found:
    outcome = store.check(weight, target, WEIGHTS_DIR if store.places.weights_dir else "cache")
    if isinstance(outcome, Rejected):
        raise PullFailed(f"{target}: {outcome.reason}", hint="Remove it and run the command again.")
    store.refresh()
    return outcome


def _require_space(weight: WeightFile, source: ReleaseAsset | ArchiveMember | Bundled, target: Path) -> None:
    size = (weight.size or 0) + ((source.archive_size or 0) if isinstance(source, ArchiveMember) else 0)
    free = shutil.disk_usage(target).free
    if size > free:
        raise NoSpace(
            f"{target}: {weight.name} needs {readable_size(size)}, {readable_size(free)} are free",
            hint=f"Free some space, or set {WEIGHTS_DIR} to a folder on another disk.",
        )


@contextmanager
def _lock(store: WeightStore, weight: WeightFile, progress: Progress) -> Iterator[None]:
    """One process at a time per file, or per archive where several weights share one."""
    source = weight.source
    key = source.archive_name if isinstance(source, ArchiveMember) else weight.file_name
    folder = staging(store)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{key}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            progress.waiting(weight.name)
            lock.acquire()
    except OSError as error:
        raise transfer.not_writable(folder, error) from error
    try:
        yield
    finally:
        lock.release()
