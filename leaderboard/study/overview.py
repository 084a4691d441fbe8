"""How far a study is and how well its annotators work."""

from __future__ import annotations

import sqlite3
import statistics
from collections import Counter, defaultdict
from dataclasses import dataclass

from ipvg_eval.core.resampling import BootstrapRule
from ipvg_eval.leaderboard.agreement import Agreement, vote_agreement
from ipvg_eval.leaderboard.mos import opinion_agreement
from ipvg_eval.leaderboard.opinions import opinions_from_table
from ipvg_eval.leaderboard.study.adaptive import Progress, progress, steps_in
from ipvg_eval.leaderboard.study.config import StudyConfig
from ipvg_eval.leaderboard.study.exclusion import CheckCounts, check_counts, too_many
from ipvg_eval.leaderboard.study.export import votes_table
from ipvg_eval.leaderboard.study.rating_export import opinions_table
from ipvg_eval.leaderboard.study.sheets import uncovered
from ipvg_eval.leaderboard.study.store import Study
from ipvg_eval.leaderboard.votes import votes_from_table


@dataclass(frozen=True, kw_only=True)
class AnnotatorProgress:
    """One annotator.

    Attributes:
        name: as in the votes.
        pid: id on a crowd platform, or empty.
        done: steps fully answered, attention checks included.
        total: steps of the sheet.
        seconds: median seconds per answer; None before the first.
        left_share: share of answers for the left side among those that were no draw; None if there is none.
        draw_share: share of draws; None before the first answer.
        mean: mean of the points of a rating study; None before the first.
        spread: their standard deviation; near 0 for somebody who always gives the same. None before the
            second.
        corrupted: attention checks with a corrupted copy.
        repeated: attention checks with the sides swapped, or with a video shown again.
        excluded: whether the study's rule excludes the annotator.
        released: whether what is left of the sheet goes to others.
    """

    name: str
    pid: str
    done: int
    total: int
    seconds: float | None
    left_share: float | None
    draw_share: float | None
    mean: float | None
    spread: float | None
    corrupted: CheckCounts
    repeated: CheckCounts
    excluded: bool
    released: bool


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How many judgements of two teams, or of one, are in, of excluded annotators none."""

    teams: tuple[str, ...]
    judged: int
    wanted: int


@dataclass(frozen=True, kw_only=True)
class Overview:
    """A study at a glance.

    Attributes:
        title: of the study.
        config: its settings.
        rule: when annotators are excluded.
        coverage: one entry per pair of teams, or per team.
        open: comparisons, or videos, that still want an annotator beyond all sheets that were dealt.
        left_out: those that lack a video.
        sheets: how many there are.
        taken: how many have an annotator.
        votes: that count, over all questions.
        agreement: by question; None while no vote counts.
        annotators: in the order they came.
        adaptive: how far an adaptive study is; None for others.
    """

    title: str
    config: StudyConfig
    rule: str
    coverage: tuple[Coverage, ...]
    open: int
    left_out: int
    sheets: int
    taken: int
    votes: int
    agreement: dict[str, Agreement | None]
    annotators: tuple[AnnotatorProgress, ...]
    adaptive: Progress | None

    @property
    def judged(self) -> int:
        """Judgements in, of all teams."""
        return sum(part.judged for part in self.coverage)

    @property
    def wanted(self) -> int:
        """Judgements wanted, of all teams."""
        return sum(part.wanted for part in self.coverage)


def overview(study: Study) -> Overview:
    """Look at a study as it is now."""
    with study.reading() as reader:
        annotators = _annotators(reader, study)
        out = {person.name for person in annotators if person.excluded}
        coverage = _coverage(reader, study, out)
        still_open = len(uncovered(reader, study.config))
        left_out = reader.execute("SELECT count(*) FROM left_out").fetchone()[0]
        sheets = reader.execute("SELECT count(*) FROM sheet").fetchone()[0]
        identities = {row["name"]: row["identity"] for row in reader.execute("SELECT * FROM sample")}
        adaptive = progress(reader, study.config)
    count, agreement = _agreement(study, identities)
    return Overview(
        title=study.config.title,
        config=study.config,
        rule=study.config.exclusion_rule,
        coverage=coverage,
        open=still_open,
        left_out=left_out,
        sheets=sheets,
        taken=len(annotators),
        votes=count,
        agreement=agreement,
        annotators=annotators,
        adaptive=adaptive,
    )


def _agreement(study: Study, identities: dict[str, str]) -> tuple[int, dict[str, Agreement | None]]:
    """Of the votes people gave; the one nobody gives for a missing video agrees with nobody."""
    ratings = study.config.kind == "rating"
    table = opinions_table(study) if ratings else votes_table(study)
    table = table[table["time"] != ""]
    agreement: dict[str, Agreement | None] = {question.name: None for question in study.config.questions}
    if ratings and not table.empty:
        sheet = opinions_from_table(table, scale=study.config.scale.scale, source=str(study.path))
        clusters = sheet.table["sample"].map(identities)
        for aspect in sheet.aspects:
            agreement[aspect] = opinion_agreement(sheet, aspect, clusters, BootstrapRule().level)
    elif not table.empty:
        votes = votes_from_table(table, source=str(study.path))
        for question in votes.questions:
            agreement[question] = vote_agreement(votes, question=question, identities=identities)
    return len(table), agreement


_PROGRESS = """
SELECT a.id, a.name, a.sheet, coalesce(a.pid, '') AS pid, a.released, count(*) AS total,
  sum((SELECT count(*) FROM vote v WHERE v.item = i.id AND v.undone IS NULL) = ?) AS done
FROM annotator a JOIN item i ON i.sheet = a.sheet GROUP BY a.id ORDER BY a.id
"""

_ANSWERS = """
SELECT a.id AS annotator, v.answer AS answer, v.seconds AS seconds
FROM vote v JOIN item i ON i.id = v.item JOIN annotator a ON a.sheet = i.sheet WHERE v.undone IS NULL
"""


def _annotators(reader: sqlite3.Connection, study: Study) -> tuple[AnnotatorProgress, ...]:
    config, checks = study.config, check_counts(reader, study.config)
    none = {"corrupted": CheckCounts(), "repeat": CheckCounts()}
    answers: dict[int, Counter[str]] = defaultdict(Counter)
    seconds: dict[int, list[float]] = defaultdict(list)
    for row in reader.execute(_ANSWERS):
        answers[row["annotator"]][row["answer"]] += 1
        seconds[row["annotator"]].append(row["seconds"])
    people = []
    for row in reader.execute(_PROGRESS, (len(config.questions),)):
        own, given = checks.get(row["id"], none), answers[row["id"]]
        decided = given["left"] + given["right"]
        points = [int(answer) for answer in given.elements() if answer.isdecimal()]
        people.append(
            AnnotatorProgress(
                name=row["name"],
                pid=row["pid"],
                done=row["done"],
                total=row["total"] if config.adaptive is None else steps_in(reader, config, row["sheet"]),
                seconds=statistics.median(seconds[row["id"]]) if seconds[row["id"]] else None,
                left_share=given["left"] / decided if decided else None,
                draw_share=given["draw"] / given.total() if given.total() else None,
                mean=statistics.fmean(points) if points else None,
                spread=statistics.stdev(points) if len(points) > 1 else None,
                corrupted=own["corrupted"],
                repeated=own["repeat"],
                excluded=too_many(own, config),
                released=bool(row["released"]),
            )
        )
    return tuple(people)


_JUDGED = """
SELECT min(l.team, coalesce(r.team, l.team)) AS one, max(l.team, r.team) AS other, a.name AS annotator
FROM item i
JOIN clip l ON l.id = i.left_clip
LEFT JOIN clip r ON r.id = i.right_clip
JOIN annotator a ON a.sheet = i.sheet
WHERE i.kind IN ('pair', 'rating')
  AND (SELECT count(*) FROM vote v WHERE v.item = i.id AND v.undone IS NULL) = ?
"""


def _coverage(reader: sqlite3.Connection, study: Study, out: set[str]) -> tuple[Coverage, ...]:
    judged: Counter[tuple[str, str | None]] = Counter()
    for row in reader.execute(_JUDGED, (len(study.config.questions),)):
        judged[row["one"], row["other"]] += row["annotator"] not in out
    rows = reader.execute(
        "SELECT one, other, sum(wanted) AS wanted FROM comparison GROUP BY one, other ORDER BY one, other"
    )
    return tuple(
        Coverage(
            teams=tuple(filter(None, (row["one"], row["other"]))),
            judged=judged[row["one"], row["other"]],
            wanted=row["wanted"],
        )
        for row in rows
    )
