"""Adaptive studies: an annotator's next pair is chosen when it is needed, from all answers so far.

Steps are added in the transaction that keeps the answer, which alone may write: two people who answer at
once are served one after the other, and no comparison is given to more annotators than it wants. One step
more than the current one is always there, so that browsers can load it beforehand. Where the attention
checks stand is drawn when the sheet begins.
"""

from __future__ import annotations

import json
import math
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ipvg_eval.leaderboard.comparisons import Comparisons
from ipvg_eval.leaderboard.next_pair import next_pair, team_pairs
from ipvg_eval.leaderboard.stopping import StoppingRule, decided
from ipvg_eval.leaderboard.study.checks import Clip, Item, with_checks
from ipvg_eval.leaderboard.study.config import StudyConfig
from ipvg_eval.leaderboard.study.exclusion import excluded
from ipvg_eval.leaderboard.study.plan import Pair, Showing, random_stream
from ipvg_eval.leaderboard.study.sheets import add_step, spoilt_copies, uncovered

TABLES = """
CREATE TABLE pick (
  item INTEGER PRIMARY KEY REFERENCES item,
  at REAL NOT NULL,
  judgements INTEGER NOT NULL
) STRICT;
CREATE TABLE look (
  number INTEGER PRIMARY KEY,
  at REAL NOT NULL,
  judgements INTEGER NOT NULL,
  answer TEXT NOT NULL
) STRICT;
"""
"""How many judgements a pick rests on, and what each look found: teams, best first, or none."""

_AT_HAND = 2
_POINTS = {"left": 1.0, "draw": 0.5, "right": 0.0}
_STEPS = """
SELECT i.id AS item, i.sheet AS sheet, l.sample AS sample, s.identity AS identity, l.team AS left_team,
  r.team AS right_team, a.id AS annotator, a.released AS released, v.answer AS answer
FROM item i
JOIN clip l ON l.id = i.left_clip
JOIN clip r ON r.id = i.right_clip
JOIN sample s ON s.name = l.sample
JOIN annotator a ON a.sheet = i.sheet
LEFT JOIN vote v ON v.item = i.id AND v.question = 0 AND v.undone IS NULL
WHERE i.kind = 'pair' ORDER BY i.id
"""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far an adaptive study is.

    Attributes:
        rule: when it ends, in a sentence.
        judgements: how many count so far.
        looks: (judgements, answer) of every look that was taken; the answer is teams, best first, or nothing.
        next_look: after how many judgements the next one is; None after the last.
    """

    rule: str
    judgements: int
    looks: tuple[tuple[int, tuple[str, ...]], ...]
    next_look: int | None

    @property
    def answer(self) -> tuple[str, ...]:
        """What ended the study; empty while it goes on."""
        return self.looks[-1][1] if self.looks else ()


def extend(writer: sqlite3.Connection, config: StudyConfig, sheet: int) -> None:
    """Give a sheet the steps that are to be at hand, unless the study has ended or nothing is left for it."""
    assert config.adaptive is not None
    waiting = writer.execute(
        "SELECT count(*) FROM item i WHERE i.sheet = ? AND "
        "(SELECT count(*) FROM vote v WHERE v.item = i.id AND v.undone IS NULL) < ?",
        (sheet, len(config.questions)),
    ).fetchone()[0]
    if waiting >= _AT_HAND:
        return
    _look(writer, config, config.adaptive)
    for _ in range(_AT_HAND - waiting):
        if ended(writer) or not _add_step(writer, config, sheet):
            return


def ended(reader: sqlite3.Connection) -> bool:
    """Whether a look found the answer."""
    return bool(reader.execute("SELECT count(*) FROM look WHERE answer != '[]'").fetchone()[0])


def steps_in(reader: sqlite3.Connection, config: StudyConfig, sheet: int) -> int:
    """How many steps a sheet is to have; once the study has ended, how many it has."""
    there = int(reader.execute("SELECT count(*) FROM item WHERE sheet = ?", (sheet,)).fetchone()[0])
    return there if ended(reader) else max(there, len(_plan(reader, config, sheet)))


def progress(reader: sqlite3.Connection, config: StudyConfig) -> Progress | None:
    """How far the study is; None where it is not adaptive."""
    if config.adaptive is None:
        return None
    rows = reader.execute("SELECT * FROM look ORDER BY number").fetchall()
    left = config.adaptive.at(_most(reader, config))[len(rows) :]
    return Progress(
        rule=config.adaptive.words(),
        judgements=len(_judged(_steps(reader, config))),
        looks=tuple((row["judgements"], tuple(json.loads(row["answer"]))) for row in rows),
        next_look=None if not left or ended(reader) else left[0],
    )


def _look(writer: sqlite3.Connection, config: StudyConfig, rule: StoppingRule) -> None:
    """Take the look that is due, if one is."""
    taken = writer.execute("SELECT count(*) FROM look").fetchone()[0]
    due = rule.at(_most(writer, config))
    if taken >= len(due) or ended(writer):
        return
    judged = _judged(_steps(writer, config))
    if len(judged) < due[taken]:
        return
    teams = _teams(writer)
    answer = [teams[place] for place in decided(_comparisons(judged, teams), rule, taken + 1)]
    row = (taken + 1, time.time(), len(judged), json.dumps(answer))
    writer.execute("INSERT INTO look VALUES (?, ?, ?, ?)", row)


def _add_step(writer: sqlite3.Connection, config: StudyConfig, sheet: int) -> bool:
    """Add a sheet's next step; False where it has none."""
    there = writer.execute(
        "SELECT i.*, l.sample AS sample FROM item i JOIN clip l ON l.id = i.left_clip "
        "WHERE i.sheet = ? ORDER BY i.position",
        (sheet,),
    ).fetchall()
    plan = _plan(writer, config, sheet)
    if len(there) >= len(plan):
        return False
    step = plan[len(there)]
    if step.kind == "repeat":
        assert step.origin is not None
        origin = there[step.origin]
        sides = (origin["right_clip"], origin["left_clip"])
        add_step(writer, sheet, len(there), step.kind, *sides, origin["id"])
        return True
    judgements = None
    if step.kind == "pair":
        checked = {item.left.sample for item in plan if item.kind == "corrupted"}
        rng = random_stream(config.seed, f"pick {sheet} {len(there)}")
        steps = _steps(writer, config)
        if len(steps) >= _most(writer, config):
            return False
        chosen = _choose(writer, config, sheet, steps, checked, rng)
        if chosen is None:
            return False
        judgements, step = len(_judged(steps)), chosen
    left, right = (
        writer.execute(
            "SELECT id FROM clip WHERE sample = ? AND team = ? AND corrupted = ?",
            (clip.sample, clip.team, clip.corrupted),
        ).fetchone()["id"]
        for clip in (step.left, step.right)
        if clip is not None
    )
    item = add_step(writer, sheet, len(there), step.kind, left, right, None)
    if judgements is not None:
        writer.execute("INSERT INTO pick VALUES (?, ?, ?)", (item, time.time(), judgements))
    return True


def _choose(
    reader: sqlite3.Connection,
    config: StudyConfig,
    sheet: int,
    steps: Sequence[sqlite3.Row],
    checked: set[str],
    rng: random.Random,
) -> Item | None:
    """The comparison that is worth most among those that the sheet has not had; None where none is left."""
    assert config.adaptive is not None
    own = [row for row in steps if row["sheet"] == sheet]
    had = {_pair(row) for row in own}
    open_ = [task for task in uncovered(reader, config) if isinstance(task, Pair)]
    left = [pair for pair in open_ if pair not in had]
    if not left:
        return None
    teams = _teams(reader)
    pairs = [(teams[one], teams[other]) for one, other in team_pairs(len(teams))]
    given = Counter(_teams_of(row) for row in steps)
    found = next_pair(
        _comparisons(_judged(steps), teams).wins()[None],
        np.array([[given[pair] for pair in pairs]], dtype=np.float64),
        config.adaptive.decide,
        np.array([[pair in {(one.one, one.other) for one in left} for pair in pairs]]),
    )
    one, other = pairs[int(found[0])]
    identities = {row["name"]: row["identity"] for row in reader.execute("SELECT name, identity FROM sample")}
    shown = Counter(identities[row["sample"]] for row in steps if _teams_of(row) == (one, other))
    chosen = min(
        (pair for pair in left if (pair.one, pair.other) == (one, other)),
        key=lambda pair: (pair.sample in checked, shown[identities[pair.sample]], rng.random()),
    )
    first = _first_left(own, one, other, rng)
    sides = (one, other) if first else (other, one)
    return Item(
        kind="pair",
        left=Clip(sample=chosen.sample, team=sides[0]),
        right=Clip(sample=chosen.sample, team=sides[1]),
    )


def _first_left(own: Sequence[sqlite3.Row], one: str, other: str, rng: random.Random) -> bool:
    """Whether `one` stands left: as often as right within a sheet, or once more or less."""
    lefts = Counter(row["left_team"] for row in own if _teams_of(row) == (one, other))
    return rng.random() < 0.5 if lefts[one] == lefts[other] else lefts[one] < lefts[other]


def _plan(reader: sqlite3.Connection, config: StudyConfig, sheet: int) -> list[Item]:
    """The kinds of a sheet's steps; comparisons are still to be chosen. The same every time."""
    count = math.ceil(_most(reader, config) / config.annotators)
    open_ = [
        Showing(task=Pair(sample=f"{place}", one="", other=""), left="", right="") for place in range(count)
    ]
    rng = random_stream(config.seed, f"checks of sheet {sheet}")
    return with_checks(open_, spoilt_copies(reader), config.checks, rng)


def _steps(reader: sqlite3.Connection, config: StudyConfig) -> list[sqlite3.Row]:
    """Comparisons that were answered or will be; of excluded annotators none."""
    out = excluded(reader, config)
    return [
        row
        for row in reader.execute(_STEPS)
        if row["annotator"] not in out and (row["answer"] is not None or not row["released"])
    ]


def _judged(steps: Sequence[sqlite3.Row]) -> list[sqlite3.Row]:
    return [row for row in steps if row["answer"] is not None]


def _comparisons(judged: Sequence[sqlite3.Row], teams: Sequence[str]) -> Comparisons:
    """Every judgement of the first question as a comparison of its own."""
    place = {team: number for number, team in enumerate(teams)}
    sides = np.array([[place[r["left_team"]], place[r["right_team"]]] for r in judged]).reshape(-1, 2)
    points = np.array([_POINTS[row["answer"]] for row in judged], dtype=np.float64)
    score = np.where(sides[:, 0] < sides[:, 1], points, 1 - points)
    return Comparisons(
        question="",
        weighting="vote",
        teams=tuple(teams),
        votes=len(judged),
        first=sides.min(axis=1).astype(np.int64),
        second=sides.max(axis=1).astype(np.int64),
        score=score,
        identities=tuple(row["identity"] for row in judged),
        judged=np.arange(len(judged)),
        answers=score,
        parts=np.ones(len(judged)),
        annotators=np.unique([r["annotator"] for r in judged], return_inverse=True)[1].astype(np.int64),
        outcomes=np.zeros((len(teams), 3), dtype=np.int64),
    )


def _pair(row: sqlite3.Row) -> Pair:
    one, other = _teams_of(row)
    return Pair(sample=row["sample"], one=one, other=other)


def _teams_of(row: sqlite3.Row) -> tuple[str, str]:
    one, other = sorted((row["left_team"], row["right_team"]))
    return one, other


def _teams(reader: sqlite3.Connection) -> list[str]:
    return sorted(row["name"] for row in reader.execute("SELECT name FROM team"))


def _most(reader: sqlite3.Connection, config: StudyConfig) -> int:
    assert config.adaptive is not None
    wanted = int(reader.execute("SELECT sum(wanted) FROM comparison").fetchone()[0])
    return min(wanted, config.adaptive.most or wanted)
