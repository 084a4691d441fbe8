"""Making a study: media first, then the plan, then the folder appears under its name at once."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from ipvg_eval.leaderboard.study.clips import anonymous_clip
from ipvg_eval.leaderboard.study.config import StudyConfig
from ipvg_eval.leaderboard.study.errors import StudyConfigError, StudyError
from ipvg_eval.leaderboard.study.filling import LeftOut, fill_tables, split_pairs
from ipvg_eval.leaderboard.study.material import MakeClip, OnClip, prepare_clips
from ipvg_eval.leaderboard.study.plan import random_stream, stratified_share
from ipvg_eval.leaderboard.study.secret import new_secret
from ipvg_eval.leaderboard.study.store import DATABASE, MEDIA, create_database, open_study
from ipvg_eval.leaderboard.study.subjects import StudySample, StudyTeam


@dataclass(frozen=True, kw_only=True)
class Created:
    """A study that was made. The two secrets are not stored: this is the only time they are known.

    Attributes:
        path: its folder.
        admin_secret: opens the admin page.
        join_secret: part of the link by which people join with `?pid=`.
        comparisons: how many different ones are shown.
        showings: how many are shown in all, without attention checks.
        sheets: how many annotators they are dealt to.
        left_out: what nobody is shown.
    """

    path: Path
    admin_secret: str
    join_secret: str
    comparisons: int
    showings: int
    sheets: int
    left_out: tuple[LeftOut, ...]


def create_study(
    teams: Sequence[StudyTeam],
    samples: Sequence[StudySample],
    config: StudyConfig,
    out: Path | str,
    *,
    on_clip: OnClip | None = None,
    workers: int | None = None,
    make_clip: MakeClip = anonymous_clip,
) -> Created:
    """Make a study folder.

    It is built beside `out` and renamed when complete: after an interruption there is no study, and the next
    call starts afresh. The plan depends on the seed, the names and which videos play; media names are random.

    Args:
        teams: two or more finalists.
        samples: what they made videos of.
        config: settings.
        out: a folder that does not exist yet, or is empty.
        on_clip: called with clips done and clips in all.
        workers: threads that prepare clips; one per core where None.
        make_clip: makes a clip from a video; give one that works in a limited process where the videos are
            strangers'.

    Raises:
        StudyConfigError: fewer than two teams, a name twice, a sample without references.
        StudyError: `out` is taken or being written, a picture cannot be read, or nothing is left to compare.
    """
    out = Path(out)
    _check(teams, samples)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise StudyError("is already there", path=out, hint="Choose another folder; nothing is overwritten.")
    with _workshop(out) as folder:
        (folder / MEDIA).mkdir()
        chosen = _chosen(samples, config)
        clips, problems = prepare_clips(teams, chosen, folder / MEDIA, on_clip, workers, make_clip)
        pairs, left_out = split_pairs(chosen, teams, clips, problems, config)
        if not pairs:
            raise StudyError(
                "no comparison is left: no sample has playable videos of two teams",
                hint="Check the submissions with `ipvg-eval validate`.",
            )
        secrets = new_secret(), new_secret()
        create_database(folder / DATABASE)
        writer = sqlite3.connect(folder / DATABASE)
        try:
            writer.row_factory = sqlite3.Row
            showings, sheets = fill_tables(
                writer, config, teams, chosen, clips, pairs, left_out, folder / MEDIA, secrets
            )
            writer.commit()
            writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            writer.close()
        _to_disk(folder)
        if out.exists():
            out.rmdir()
        folder.rename(out)
    open_study(out)
    return Created(
        path=out,
        admin_secret=secrets[0],
        join_secret=secrets[1],
        comparisons=len(pairs),
        showings=showings,
        sheets=sheets,
        left_out=tuple(left_out),
    )


def _check(teams: Sequence[StudyTeam], samples: Sequence[StudySample]) -> None:
    names = [team.name for team in teams]
    if len(names) < 2:
        raise StudyConfigError("a study compares two teams at least", hint="Give the finalists' runs.")
    for kind, given in (("team", names), ("sample", [sample.id for sample in samples])):
        twice = [name for name in given if given.count(name) > 1]
        if twice:
            raise StudyConfigError(f"{kind} {twice[0]!r} is there twice", hint="Give every one once.")
    for sample in samples:
        if not sample.references:
            raise StudyConfigError(f"sample {sample.id!r} has no reference picture")


@contextmanager
def _workshop(out: Path) -> Iterator[Path]:
    """An empty folder beside `out`, cleared of what an interrupted call left."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(out.parent / f".{out.name}.lock", timeout=0)
        with lock:
            folder = out.parent / f".{out.name}.unfinished"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
                (out.parent / f".{out.name}.lock").unlink(missing_ok=True)
    except Timeout as error:
        raise StudyError("is being made by another process", path=out, hint="Wait for it.") from error
    except OSError as error:
        raise StudyError(
            f"cannot be written: {error.strerror or error}", path=out, hint="Choose another folder."
        ) from error


def _chosen(samples: Sequence[StudySample], config: StudyConfig) -> list[StudySample]:
    identities = {sample.id: sample.identity for sample in samples}
    names = set(stratified_share(identities, config.share, random_stream(config.seed, "samples")))
    return [sample for sample in samples if sample.id in names]


def _to_disk(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
