"""Attention checks answered, and who is excluded by the study's rule."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from ipvg_eval.leaderboard.study.config import StudyConfig
from ipvg_eval.leaderboard.study.plan import random_stream

_ANSWERS = """
SELECT a.id AS annotator, i.kind AS kind, v.answer AS answer, o.answer AS earlier,
  l.corrupted AS left_corrupted, i.right_clip IS NULL AS alone
FROM item i
JOIN annotator a ON a.sheet = i.sheet
JOIN vote v ON v.item = i.id AND v.question = 0 AND v.undone IS NULL
JOIN clip l ON l.id = i.left_clip
LEFT JOIN vote o ON o.item = i.origin AND o.question = 0 AND o.undone IS NULL
WHERE i.kind IN ('repeat', 'corrupted')
"""

_MEANS = """
SELECT a.id AS annotator, avg(v.answer) AS mean
FROM item i
JOIN annotator a ON a.sheet = i.sheet
JOIN vote v ON v.item = i.id AND v.question = 0 AND v.undone IS NULL
WHERE i.kind = 'rating' GROUP BY a.id
"""


@dataclass(frozen=True, kw_only=True)
class CheckCounts:
    """One annotator's attention checks of one kind."""

    answered: int = 0
    failed: int = 0


def too_many(kinds: Mapping[str, CheckCounts], config: StudyConfig) -> bool:
    """Whether the study's rule excludes an annotator with these counts of "corrupted" and "repeat"."""
    rule = config.checks
    honest = {"corrupted": rule.slip_rate, "repeat": rule.contradiction_rate}
    return any(
        as_many_or_more(counts.answered, counts.failed, honest[kind]) < rule.false_exclusion
        for kind, counts in kinds.items()
    )


def as_many_or_more(answered: int, failed: int, rate: float) -> float:
    """P(X >= failed) for X binomial with `answered` trials of probability `rate`."""
    return math.fsum(
        math.comb(answered, count) * rate**count * (1 - rate) ** (answered - count)
        for count in range(failed, answered + 1)
    )


@dataclass(frozen=True, kw_only=True)
class ExclusionRates:
    """Shares of simulated annotators whom the rule excludes, with the checks of one sheet.

    Attributes:
        honest: those who fail checks at the rates of honest people.
        random: those who click at random, every answer as often as any other.
        one_sided: those who always say left, or always give the same point.
    """

    honest: float
    random: float
    one_sided: float


def simulated_exclusion(
    config: StudyConfig, corrupted: int, repeats: int, people: int = 4000
) -> ExclusionRates:
    """Simulate annotators who answer a sheet's checks.

    Args:
        config: with the rule; its seed decides the draws.
        corrupted: checks with a corrupted copy in the sheet.
        repeats: checks with the sides swapped.
        people: how many of each sort.
    """
    rng = random_stream(config.seed, "simulation")

    def share(slips: float, contradictions: float) -> float:
        out = 0
        for _ in range(people):
            failed = {
                "corrupted": sum(rng.random() < slips for _ in range(corrupted)),
                "repeat": sum(rng.random() < contradictions for _ in range(repeats)),
            }
            answered = {"corrupted": corrupted, "repeat": repeats}
            counts = {kind: CheckCounts(answered=answered[kind], failed=failed[kind]) for kind in failed}
            out += too_many(counts, config)
        return out / people

    rule = config.checks
    honest = share(rule.slip_rate, rule.contradiction_rate)
    if config.kind == "rating":
        points = config.scale.scale.points
        apart = [abs(one - other) > rule.tolerance for one in points for other in points]
        # Half of all points lie below their mean; who gives but one never goes below it.
        return ExclusionRates(
            honest=honest, random=share(1 / 2, sum(apart) / len(apart)), one_sided=share(1, 0)
        )
    return ExclusionRates(
        honest=honest,
        random=share(2 / 3, 2 / 9),  # two thirds are no draws; twice the same side: 2 x 1/9
        one_sided=share(1 / 2, 1),
    )


def check_counts(reader: sqlite3.Connection, config: StudyConfig) -> dict[int, dict[str, CheckCounts]]:
    """Annotator -> "corrupted" and "repeat" -> counts; annotators without an answered check are left out."""
    counts: dict[int, dict[str, CheckCounts]] = {}
    means = {row["annotator"]: row["mean"] for row in reader.execute(_MEANS)}
    for row in reader.execute(_ANSWERS):
        if row["alone"] and row["kind"] == "corrupted" and row["annotator"] not in means:
            continue  # nothing yet to compare it with
        own = counts.setdefault(row["annotator"], {"corrupted": CheckCounts(), "repeat": CheckCounts()})
        before = own[row["kind"]]
        failed = before.failed + _failed(row, means.get(row["annotator"], 0.0), config.checks.tolerance)
        own[row["kind"]] = CheckCounts(answered=before.answered + 1, failed=failed)
    return counts


def excluded(reader: sqlite3.Connection, config: StudyConfig) -> set[int]:
    """Annotators whom the rule excludes, on the answers so far."""
    return {annotator for annotator, kinds in check_counts(reader, config).items() if too_many(kinds, config)}


def _failed(row: sqlite3.Row, mean: float, tolerance: int) -> bool:
    if row["alone"]:
        score = int(row["answer"])
        return score >= mean if row["kind"] == "corrupted" else abs(score - int(row["earlier"])) > tolerance
    if row["kind"] == "corrupted":
        return bool(row["answer"] != ("right" if row["left_corrupted"] else "left"))
    # The sides were swapped: the same side twice is the other team.
    return bool(row["answer"] == row["earlier"] and row["answer"] != "draw")
