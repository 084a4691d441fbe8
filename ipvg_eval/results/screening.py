"""Which of the runs that strangers handed in may be ranked; a bad one costs itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ipvg_eval.core.errors import IpvgError, UsageError
from ipvg_eval.results.checksums import check_folder
from ipvg_eval.results.consistency import inconsistencies
from ipvg_eval.results.reading import load_run
from ipvg_eval.results.signing import check_signature


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A run that is left out.

    Attributes:
        path: its folder.
        reason: why, with the name of the file it is about.
    """

    path: Path
    reason: str


def screen(
    folders: Iterable[Path], *, strict: bool = False, public_key: Path | None = None
) -> tuple[tuple[Path, ...], tuple[Refused, ...]]:
    """Read every run and hold its tables and summary against its journal.

    Args:
        folders: the runs.
        strict: also compare every file with its checksum, as `verify` does.
        public_key: with `strict`, the key of whoever must have signed the runs.

    Returns:
        the folders that may be ranked, in their order, and the others.

    Raises:
        UsageError: the key cannot be used.
    """
    fit, refused = [], []
    for folder in folders:
        try:
            reason = _problem(folder, strict=strict, public_key=public_key)
        except UsageError:
            raise
        except IpvgError as error:
            reason = _told(error, folder)
        if reason is None:
            fit.append(folder)
        else:
            refused.append(Refused(path=folder, reason=reason))
    return tuple(fit), tuple(refused)


def _problem(folder: Path, *, strict: bool, public_key: Path | None) -> str | None:
    if strict:
        files = check_folder(folder)
        if not files.ok:
            names = (*files.changed, *files.missing, *files.added)
            return f"{names[0]} is not as the checksums say"
        if public_key is not None and not check_signature(folder, public_key):
            return f"it was not signed by the owner of {public_key.name}"
    run = load_run(folder)
    if run.info.finished is None:
        pending = f"{run.info.counts.pending} of {run.info.counts.samples} samples are pending"
        return f"this run is not finished: {pending}"
    if different := inconsistencies(run):
        return f"{', '.join(different)}: not what follows from the rows of its journal"
    return None


def _told(error: IpvgError, folder: Path) -> str:
    path = None if error.path is None else Path(error.path)
    return error.message if path is None or path == folder else f"{path.name}: {error.message}"
