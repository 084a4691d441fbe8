"""Put verified files in place: nothing appears under its final name before its hash is right."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

from ipvg_eval.metrics.weight_file import WeightFile
from ipvg_eval.metrics.weights import folders, transfer
from ipvg_eval.metrics.weights.errors import PullFailed, WrongHash
from ipvg_eval.metrics.weights.hashes import sha256_of
from ipvg_eval.metrics.weights.progress import Progress, Silent
from ipvg_eval.metrics.weights.store import Rejected, WeightStore


def download(url: str, target: Path, sha256: str | None, staging: Path, progress: Progress) -> None:
    """Download, verify and rename; `staging/NAME.part` keeps what an interrupted attempt got.

    Args:
        url: http or https address.
        target: final path.
        sha256: full hash or a prefix; None where nothing is known.
        staging: folder for the incomplete file, on the same file system.
        progress: hears of the transfer.

    Raises:
        WrongHash: another file came; it has been removed.
        PullFailed: the transfer failed.
    """
    part = staging / f"{target.name}.part"
    resumed = part.exists()
    transfer.from_url(url, part, progress)
    if resumed and not _is(part, sha256):
        # The first half may stem from another version of the file: once more from the start.
        part.unlink()
        transfer.from_url(url, part, progress)
    _accept(part, target, sha256, url)


def copy_file(path: Path, target: Path, sha256: str | None, staging: Path, progress: Progress) -> None:
    """Copy, verify and rename. Raises as `download` does."""
    part = staging / f"{target.name}.copy"
    try:
        transfer.from_file(path, part, progress)
        _accept(part, target, sha256, str(path))
    finally:
        part.unlink(missing_ok=True)


def copy(weight: WeightFile, path: Path, target: Path, staging: Path, progress: Progress) -> None:
    """Copy a weight, one file or a folder, from another place of this machine. Raises as `download` does."""
    if not weight.is_folder:
        copy_file(path, target, weight.sha256, staging, progress)
        return
    known = folders.recorded_sums(path)
    sums = {name: known.get(name) or sha256_of(path / name) for name in folders.model_files(path)}
    own = staging / weight.file_name
    fill_folder(target, sums, own, lambda name, at: copy_file(path / name, at, sums[name], own, progress))


def fill_folder(
    target: Path, sums: dict[str, str], staging: Path, fetch: Callable[[str, Path], None]
) -> None:
    """Bring the files of a model folder one by one and record their hashes beside them.

    Args:
        target: the folder.
        sums: sha256 of each file by name.
        staging: folder for incomplete files; made, and removed in the end.
        fetch: brings the file of a name to a path, verified.

    Raises:
        PullFailed: a file cannot be had or written, or the folder is not whole.
    """
    try:
        target.mkdir(parents=True, exist_ok=True)
        staging.mkdir(parents=True, exist_ok=True)
        for name in sorted(sums):
            if not ((target / name).is_file() and sha256_of(target / name) == sums[name]):
                fetch(name, target / name)
        (target / folders.SUMS).write_text(folders.format_sums(sums), "utf-8")
        shutil.rmtree(staging)
    except OSError as error:
        raise transfer.not_writable(target, error) from error
    if lack := folders.missing_part(target):
        raise PullFailed(f"{target}: {lack}", hint="The source is not a whole model folder; use another.")


def extract(archive: Path, member: str, weight: WeightFile, folder: Path, staging: Path) -> None:
    """Take one member out of a verified zip archive, verify and rename it.

    Raises:
        WrongHash: the member is not the declared file.
        PullFailed: the archive has no such member, or the disk is full.
    """
    target, part = folder / weight.file_name, staging / f"{weight.file_name}.extract"
    try:
        with zipfile.ZipFile(archive) as opened:
            names = [name for name in opened.namelist() if name.rsplit("/", 1)[-1] == member]
            if len(names) != 1:
                raise PullFailed(
                    f"{archive}: {len(names)} members are called {member}", hint=transfer.BY_HAND
                )
            with opened.open(names[0]) as source, transfer.opened(part, "wb") as file:
                transfer.copy(source, file, Silent().started())
        _accept(part, target, weight.sha256, f"{member} in {archive.name}")
    except zipfile.BadZipFile as error:
        raise PullFailed(f"{archive}: {error}", hint=transfer.BY_HAND) from error
    finally:
        part.unlink(missing_ok=True)


def refuse_wrong(weight: WeightFile, path: Path, store: WeightStore) -> None:
    """Remove what the hub delivered if it is not the declared weight.

    Raises:
        WrongHash: it was not; what is right of a folder is kept.
        PullFailed: a folder is not whole.
    """
    outcome = store.check(weight, path, "Hugging Face cache")
    if not isinstance(outcome, Rejected):
        return
    wrong = [path]
    if path.is_dir():
        recorded = folders.recorded_sums(path)
        wrong = [path / name for name in recorded if store.hashes.sha256(path / name) != recorded[name]]
        if not wrong:
            raise PullFailed(f"{path}: {outcome.reason}", hint="Run the command again.")
    for item in wrong:
        item.resolve().unlink(missing_ok=True)  # the blob that the hub's cache links to
        item.unlink(missing_ok=True)
    raise WrongHash(f"{path}: {outcome.reason}; it has been removed", hint=_WRONG)


def _is(path: Path, sha256: str | None) -> bool:
    return sha256 is None or sha256_of(path).startswith(sha256)


def _accept(part: Path, target: Path, sha256: str | None, source: str) -> None:
    if not _is(part, sha256):
        actual = sha256_of(part)
        part.unlink()
        raise WrongHash(
            f"{source}: its sha256 is {actual}, declared is {sha256}; it has been removed", hint=_WRONG
        )
    try:
        part.replace(target)
    except OSError as error:
        raise transfer.not_writable(target, error) from error


_WRONG = "The source serves another file than the published one: use --mirror BASE with a source you trust."
