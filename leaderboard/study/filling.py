"""Writing a new study's tables."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ipvg_eval.leaderboard.study.adaptive import TABLES as ADAPTIVE_TABLES
from ipvg_eval.leaderboard.study.checks import Clip, checks_in, training_tasks, with_checks
from ipvg_eval.leaderboard.study.config import StudyConfig
from ipvg_eval.leaderboard.study.material import MediaFile
from ipvg_eval.leaderboard.study.pictures import anonymous_picture
from ipvg_eval.leaderboard.study.plan import (
    Pair,
    Task,
    all_pairs,
    all_ratings,
    deal,
    overlapping,
    random_stream,
    take_sides,
)
from ipvg_eval.leaderboard.study.secret import hashed, new_media_id
from ipvg_eval.leaderboard.study.sheets import add_sheet
from ipvg_eval.leaderboard.study.subjects import StudySample, StudyTeam

_MOST_CORRUPTED = 40


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A comparison, or a video to rate, that nobody is shown.

    Attributes:
        task: which.
        without: the teams that have no playable video.
        winner: who gets a comparison where a missing video counts as a loss, else None.
        reason: what is missing.
    """

    task: Task
    without: tuple[str, ...]
    winner: str | None
    reason: str


def split_tasks(
    samples: Sequence[StudySample],
    teams: Sequence[StudyTeam],
    clips: Collection[Clip],
    problems: Mapping[Clip, str],
    config: StudyConfig,
) -> tuple[list[Task], list[LeftOut]]:
    """All comparisons or ratings: those that can be shown, and those that lack a video."""
    shown: list[Task] = []
    left_out = []
    names = [sample.id for sample in samples], [team.name for team in teams]
    for task in all_ratings(*names) if config.kind == "rating" else all_pairs(*names):
        sides = {team: Clip(sample=task.sample, team=team) for team in task.teams}
        without = tuple(team for team, clip in sides.items() if clip not in clips)
        if not without:
            shown.append(task)
            continue
        present = [team for team in sides if team not in without]
        winner = present[0] if config.missing == "loss" and present else None
        reason = "; ".join(f"{team}: {problems[sides[team]]}" for team in without)
        left_out.append(LeftOut(task=task, without=without, winner=winner, reason=reason))
    return shown, left_out


def dealt_sheets(
    tasks: Sequence[Task], identities: Mapping[str, str], config: StudyConfig
) -> tuple[dict[Task, int], list[list[Task]], random.Random]:
    """How many annotators each task gets, the sheets, and the random numbers for what follows."""
    rng = random_stream(config.seed, "plan")
    more = overlapping(tasks, identities, config.overlap.share, rng)
    wanted = {
        task: min(config.wanted_on_overlap if task in more else config.annotators_per_pair, config.annotators)
        for task in tasks
    }
    return wanted, [sheet for sheet in deal(wanted, config.annotators, rng) if sheet], rng


def spoilt_clips(
    clips: Sequence[Clip], dealt: Sequence[Sequence[Task]], config: StudyConfig
) -> list[tuple[Clip, int]]:
    """Clips that get a corrupted copy, with its seed: twice what a sheet needs, so that sheets differ."""
    per_sheet, _ = checks_in(max(len(sheet) for sheet in dealt), config.checks)
    count = min(len(clips), max(per_sheet, min(2 * per_sheet, _MOST_CORRUPTED)))
    rng = random_stream(config.seed, "corrupted")
    chosen = rng.sample(sorted(clips, key=lambda clip: (clip.sample, clip.team)), count)
    return [(clip, rng.getrandbits(32)) for clip in chosen]


def fill_tables(
    writer: sqlite3.Connection,
    config: StudyConfig,
    teams: Sequence[StudyTeam],
    samples: Sequence[StudySample],
    clips: Mapping[Clip, MediaFile],
    wanted: Mapping[Task, int],
    left_out: Sequence[LeftOut],
    dealt: Sequence[Sequence[Task]],
    rng: random.Random,
    media: Path,
    secrets: tuple[str, str],
) -> None:
    """Write every table of a new study."""
    row = (config.model_dump_json(), time.time(), hashed(secrets[0]), secrets[1])
    writer.execute("INSERT INTO study VALUES (1, ?, ?, ?, ?)", row)
    writer.executemany("INSERT INTO team VALUES (?)", [(team.name,) for team in teams])
    _write_samples(writer, samples, media)
    for clip, made in clips.items():
        writer.execute(
            "INSERT INTO clip (sample, team, corrupted, media, duration) VALUES (?, ?, ?, ?, ?)",
            (clip.sample, clip.team, int(clip.corrupted), made.media, made.duration),
        )
    writer.executemany(
        "INSERT INTO comparison VALUES (?, ?, ?, ?)",
        [(task.sample, *_named(task), count) for task, count in wanted.items()],
    )
    writer.executemany(
        "INSERT INTO left_out VALUES (?, ?, ?, ?, ?, ?)",
        [(x.task.sample, *_named(x.task), json.dumps(x.without), x.winner, x.reason) for x in left_out],
    )
    spoilt = [clip for clip in clips if clip.corrupted]
    if config.adaptive:
        writer.executescript(ADAPTIVE_TABLES)
        for _ in dealt:
            add_sheet(writer, [])
        return
    for sheet, showings in zip(dealt, take_sides(dealt, rng), strict=True):
        training = training_tasks(sheet, list(wanted), config.training, rng)
        first = take_sides([training], rng)[0]
        add_sheet(writer, with_checks(showings, spoilt, config.checks, rng, first))


def _named(task: Task) -> tuple[str, str | None]:
    """The task's teams as the tables hold them."""
    return (task.one, task.other) if isinstance(task, Pair) else (task.team, None)


def _write_samples(writer: sqlite3.Connection, samples: Sequence[StudySample], media: Path) -> None:
    written: dict[Path, str] = {}
    for sample in samples:
        writer.execute(
            "INSERT INTO sample VALUES (?, ?, ?, ?)",
            (sample.id, sample.identity, sample.prompt, sample.timeline),
        )
        for position, picture in enumerate(sample.references):
            if picture.path not in written:
                written[picture.path] = new_media_id()
                anonymous_picture(picture.path, media / written[picture.path])
            writer.execute(
                "INSERT INTO picture VALUES (?, ?, ?, ?)",
                (sample.id, position, written[picture.path], picture.label),
            )
