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
from ipvg_eval.leaderboard.study.checks import Clip, checks_in, with_checks
from ipvg_eval.leaderboard.study.config import StudyConfig
from ipvg_eval.leaderboard.study.material import MediaFile
from ipvg_eval.leaderboard.study.pictures import anonymous_picture
from ipvg_eval.leaderboard.study.plan import Pair, all_pairs, deal, overlapping, random_stream, take_sides
from ipvg_eval.leaderboard.study.secret import hashed, new_media_id
from ipvg_eval.leaderboard.study.sheets import add_sheet
from ipvg_eval.leaderboard.study.subjects import StudySample, StudyTeam

_MOST_CORRUPTED = 40


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A comparison that nobody is shown.

    Attributes:
        pair: which.
        without: the teams that have no playable video.
        winner: who gets it where a missing video counts as a loss, else None.
        reason: what is missing.
    """

    pair: Pair
    without: tuple[str, ...]
    winner: str | None
    reason: str


def split_pairs(
    samples: Sequence[StudySample],
    teams: Sequence[StudyTeam],
    clips: Collection[Clip],
    problems: Mapping[Clip, str],
    config: StudyConfig,
) -> tuple[list[Pair], list[LeftOut]]:
    """All comparisons: those that can be shown, and those that lack a video."""
    pairs, left_out = [], []
    for pair in all_pairs([sample.id for sample in samples], [team.name for team in teams]):
        sides = {team: Clip(sample=pair.sample, team=team) for team in (pair.one, pair.other)}
        without = tuple(team for team, clip in sides.items() if clip not in clips)
        if not without:
            pairs.append(pair)
            continue
        present = [team for team in sides if team not in without]
        winner = present[0] if config.missing == "loss" and present else None
        reason = "; ".join(f"{team}: {problems[sides[team]]}" for team in without)
        left_out.append(LeftOut(pair=pair, without=without, winner=winner, reason=reason))
    return pairs, left_out


def dealt_sheets(
    pairs: Sequence[Pair], identities: Mapping[str, str], config: StudyConfig
) -> tuple[dict[Pair, int], list[list[Pair]], random.Random]:
    """How many annotators each comparison gets, the sheets, and the random numbers for what follows."""
    rng = random_stream(config.seed, "plan")
    more = overlapping(pairs, identities, config.overlap.share, rng)
    wanted = {
        pair: min(config.wanted_on_overlap if pair in more else config.annotators_per_pair, config.annotators)
        for pair in pairs
    }
    return wanted, [sheet for sheet in deal(wanted, config.annotators, rng) if sheet], rng


def spoilt_clips(
    clips: Sequence[Clip], dealt: Sequence[Sequence[Pair]], config: StudyConfig
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
    wanted: Mapping[Pair, int],
    left_out: Sequence[LeftOut],
    dealt: Sequence[Sequence[Pair]],
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
        [(pair.sample, pair.one, pair.other, count) for pair, count in wanted.items()],
    )
    writer.executemany(
        "INSERT INTO left_out VALUES (?, ?, ?, ?, ?, ?)",
        [
            (x.pair.sample, x.pair.one, x.pair.other, json.dumps(x.without), x.winner, x.reason)
            for x in left_out
        ],
    )
    spoilt = [clip for clip in clips if clip.corrupted]
    if config.adaptive:
        writer.executescript(ADAPTIVE_TABLES)
        for _ in dealt:
            add_sheet(writer, [])
        return
    for showings in take_sides(dealt, rng):
        add_sheet(writer, with_checks(showings, spoilt, config.checks, rng))


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
