"""Making a study: clips first, then the plan, then the folder appears under its name at once."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from ipvg_eval.leaderboard.study import clips as clip_tools
from ipvg_eval.leaderboard.study.checks import Clip, checks_in
from ipvg_eval.leaderboard.study.clips import common_shape
from ipvg_eval.leaderboard.study.config import StudyConfig
from ipvg_eval.leaderboard.study.errors import StudyConfigError, StudyError
from ipvg_eval.leaderboard.study.filling import LeftOut, dealt_sheets, fill_tables, split_tasks, spoilt_clips
from ipvg_eval.leaderboard.study.material import ClipShop, ClipTools, Encoded, EncodeJob, OnClip
from ipvg_eval.leaderboard.study.plan import random_stream, stratified_share
from ipvg_eval.leaderboard.study.secret import new_secret
from ipvg_eval.leaderboard.study.store import DATABASE, MEDIA, create_database, open_study
from ipvg_eval.leaderboard.study.subjects import StudySample, StudyTeam


@dataclass(frozen=True, kw_only=True)
class Created:
    """A study that was made.

    Attributes:
        path: its folder.
        admin_secret: opens the admin page. It is not stored: this is the only time it is known.
        join_key: signs the links by which people join; see `annotators.invitation`.
        comparisons: how many different ones are shown; of a rating study how many videos.
        showings: how many are shown in all, without attention checks.
        sheets: how many annotators they are dealt to.
        checks: corrupted copies and repeated steps in the shortest sheet.
        left_out: what nobody is shown.
    """

    path: Path
    admin_secret: str
    join_key: str
    comparisons: int
    showings: int
    sheets: int
    checks: tuple[int, int]
    left_out: tuple[LeftOut, ...]


def create_study(
    teams: Sequence[StudyTeam],
    samples: Sequence[StudySample],
    config: StudyConfig,
    out: Path | str,
    *,
    on_clip: OnClip | None = None,
    workers: int | None = None,
    tools: ClipTools = clip_tools,
) -> Created:
    """Make a study folder.

    It is built beside `out` and renamed when complete: after an interruption there is no study, and the next
    call goes on with the clips that are done. The plan depends on the seed, the names and which videos play;
    media names are random, and all files have one time.

    Args:
        teams: two or more finalists; a rating study may have one.
        samples: what they made videos of.
        config: settings.
        out: a folder that does not exist yet, or is empty.
        on_clip: called with steps done and steps in all; every clip takes three.
        workers: threads that prepare clips; one per core where None.
        tools: what makes clips; give one that works in limited processes where the videos are strangers'.

    Raises:
        StudyConfigError: too few teams, a name twice, a sample without references.
        StudyError: `out` is taken or being written, a picture cannot be read, or nothing is left to compare.
    """
    out = Path(out)
    _check(teams, samples, config)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise StudyError("is already there", path=out, hint="Choose another folder; nothing is overwritten.")
    with _workshop(out) as workshop:
        shop = ClipShop(workshop / "made", tools, workers, on_clip)
        chosen = _chosen(samples, config)
        encoded, problems = _encoded(shop, teams, chosen, config)
        tasks, left_out = split_tasks(chosen, teams, encoded, problems, config)
        if not tasks:
            lacking = "no sample has playable videos of two teams"
            raise StudyError(
                "no video plays" if config.kind == "rating" else f"no comparison is left: {lacking}",
                hint="Check the submissions with `ipvg-eval validate`.",
            )
        identities = {sample.id: sample.identity for sample in chosen}
        wanted, dealt, rng = dealt_sheets(tasks, identities, config)
        compared = {
            clip: encoded[clip]
            for task in tasks
            for clip in (Clip(sample=task.sample, team=team) for team in task.teams)
        }
        openers = {team.name: team.videos for team in teams}
        spoilt, _ = shop.encode(
            [
                EncodeJob(
                    clip=Clip(sample=clip.sample, team=clip.team, corrupted=True),
                    open_video=openers[clip.team][clip.sample],
                    shape=encoded[clip].shape,
                    spoil=seed,
                )
                for clip, seed in spoilt_clips(list(compared), dealt, config)
            ]
        )
        folder = workshop / "study"
        (folder / MEDIA).mkdir(parents=True, mode=0o700)
        clips = shop.pad({**compared, **spoilt}, folder / MEDIA)
        secrets = (new_secret(), new_secret())
        create_database(folder / DATABASE)
        writer = sqlite3.connect(folder / DATABASE)
        try:
            writer.row_factory = sqlite3.Row
            fill_tables(
                writer, config, teams, chosen, clips, wanted, left_out, dealt, rng, folder / MEDIA, secrets
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
        join_key=secrets[1],
        comparisons=len(tasks),
        showings=sum(len(sheet) for sheet in dealt),
        sheets=len(dealt),
        checks=checks_in(min(len(sheet) for sheet in dealt), config.checks),
        left_out=tuple(left_out),
    )


def _check(teams: Sequence[StudyTeam], samples: Sequence[StudySample], config: StudyConfig) -> None:
    names = [team.name for team in teams]
    if len(names) < 2 and config.kind == "pair":
        raise StudyConfigError("a study compares two teams at least", hint="Give the finalists' runs.")
    if not names:
        raise StudyConfigError("there is no team to rate", hint="Give runs or submissions.")
    for kind, given in (("team", names), ("sample", [sample.id for sample in samples])):
        twice = [name for name in given if given.count(name) > 1]
        if twice:
            raise StudyConfigError(f"{kind} {twice[0]!r} is there twice", hint="Give every one once.")
    for sample in samples:
        if not sample.references:
            raise StudyConfigError(f"sample {sample.id!r} has no reference picture")


def _encoded(
    shop: ClipShop, teams: Sequence[StudyTeam], samples: Sequence[StudySample], config: StudyConfig
) -> tuple[dict[Clip, Encoded], dict[Clip, str]]:
    """Every team's clip of every sample, in the sample's shape, and why there is none."""
    found, problems = shop.look(teams, samples)
    keep_sound = config.sound == "keep" and any(facts.sound for facts in found.values())
    jobs = []
    for sample in samples:
        own = {clip: facts for clip, facts in found.items() if clip.sample == sample.id}
        for team in teams:
            clip = Clip(sample=sample.id, team=team.name)
            if clip in own:
                shape = common_shape(list(own.values()), keep_sound=keep_sound)
                jobs.append(EncodeJob(clip=clip, open_video=team.videos[sample.id], shape=shape))
    encoded, broken = shop.encode(jobs)
    return encoded, {**problems, **broken}


@contextmanager
def _workshop(out: Path) -> Iterator[Path]:
    """A folder beside `out` with the clips that an interrupted call has finished, and nothing else of it."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        lock = out.parent / f".{out.name}.lock"
        with FileLock(lock, timeout=0):
            folder = out.parent / f".{out.name}.unfinished"
            folder.mkdir(mode=0o700, exist_ok=True)
            shutil.rmtree(folder / "study", ignore_errors=True)
            try:
                yield folder
            except StudyError:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            else:
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                lock.unlink(missing_ok=True)
    except Timeout as error:
        raise StudyError("is being made by another process", path=out, hint="Wait for it.") from error
    except OSError as error:
        raise StudyError(
            f"cannot be written: {error.strerror or error}",
            path=out,
            hint="Make room or choose another folder. The same command goes on with the clips that are done.",
        ) from error


def _chosen(samples: Sequence[StudySample], config: StudyConfig) -> list[StudySample]:
    identities = {sample.id: sample.identity for sample in samples}
    names = set(stratified_share(identities, config.share, random_stream(config.seed, "samples")))
    return [sample for sample in samples if sample.id in names]


def _to_disk(folder: Path) -> None:
    """Bring everything to the disk; all files under one time, as times tell the order they were made in."""
    now = time.time()
    for path in [*folder.rglob("*"), folder]:
        os.utime(path, (now, now))
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
