"""Writing a new study's tables."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ipvg_eval.leaderboard.study.checks import Clip, checks_in, with_checks
from ipvg_eval.leaderboard.study.config import StudyConfig
from ipvg_eval.leaderboard.study.material import MediaFile, corrupt_clips
from ipvg_eval.leaderboard.study.pictures import anonymous_picture
from ipvg_eval.leaderboard.study.plan import Pair, all_pairs, deal, overlapping, random_stream, take_sides
from ipvg_eval.leaderboard.study.secret import hashed, new_media_id
from ipvg_eval.leaderboard.study.sheets import add_sheet
from ipvg_eval.leaderboard.study.subjects import StudySample, StudyTeam


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
    clips: Mapping[Clip, MediaFile],
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


def fill_tables(
    writer: sqlite3.Connection,
    config: StudyConfig,
    teams: Sequence[StudyTeam],
    samples: Sequence[StudySample],
    clips: Mapping[Clip, MediaFile],
    pairs: Sequence[Pair],
    left_out: Sequence[LeftOut],
    media: Path,
    secrets: tuple[str, str],
) -> tuple[int, int]:
    """Write every table of a new study; returns how many showings and sheets there are."""
    row = (config.model_dump_json(), time.time(), hashed(secrets[0]), hashed(secrets[1]))
    writer.execute("INSERT INTO study VALUES (1, ?, ?, ?, ?)", row)
    writer.executemany("INSERT INTO team VALUES (?)", [(team.name,) for team in teams])
    _write_samples(writer, samples, media)
    identities = {sample.id: sample.identity for sample in samples}
    rng = random_stream(config.seed, "plan")
    more = overlapping(pairs, identities, config.overlap.share, rng)
    wanted = {
        pair: min(config.wanted_on_overlap if pair in more else config.annotators_per_pair, config.annotators)
        for pair in pairs
    }
    dealt = [sheet for sheet in deal(wanted, config.annotators, rng) if sheet]
    longest = max(len(sheet) for sheet in dealt)
    spoilt = corrupt_clips(clips, checks_in(longest, config.checks.corrupted_per_hundred), media, config.seed)
    for clip, made in {**clips, **spoilt}.items():
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
    for showings in take_sides(dealt, rng):
        add_sheet(writer, with_checks(showings, list(spoilt), config.checks, rng))
    return sum(len(sheet) for sheet in dealt), len(dealt)


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
