"""Attention checks answered, and who is excluded by the study's rule."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from ipvg_eval.leaderboard.study.config import StudyConfig

_ANSWERS = """
SELECT a.id AS annotator, i.kind AS kind, v.answer AS answer, o.answer AS earlier,
  l.corrupted AS left_corrupted
FROM item i
JOIN annotator a ON a.sheet = i.sheet
JOIN vote v ON v.item = i.id AND v.question = 0 AND v.undone IS NULL
JOIN clip l ON l.id = i.left_clip
LEFT JOIN vote o ON o.item = i.origin AND o.question = 0 AND o.undone IS NULL
WHERE i.kind != 'pair'
"""


@dataclass(frozen=True, kw_only=True)
class CheckCounts:
    """One annotator's attention checks of one kind."""

    answered: int = 0
    failed: int = 0


def too_many(kinds: Mapping[str, CheckCounts], config: StudyConfig) -> bool:
    """Whether the study's rule excludes an annotator with these counts of "corrupted" and "repeat"."""
    rule = config.checks
    allowed = {"corrupted": rule.max_failed_corrupted, "repeat": rule.max_failed_repeats}
    return any(
        counts.answered >= rule.min_answered and counts.failed > allowed[kind] * counts.answered
        for kind, counts in kinds.items()
    )


def check_counts(reader: sqlite3.Connection) -> dict[int, dict[str, CheckCounts]]:
    """Annotator -> "corrupted" and "repeat" -> counts; annotators without an answered check are left out."""
    counts: dict[int, dict[str, CheckCounts]] = {}
    for row in reader.execute(_ANSWERS):
        own = counts.setdefault(row["annotator"], {"corrupted": CheckCounts(), "repeat": CheckCounts()})
        before = own[row["kind"]]
        failed = before.failed + _failed(row)
        own[row["kind"]] = CheckCounts(answered=before.answered + 1, failed=failed)
    return counts


def excluded(reader: sqlite3.Connection, config: StudyConfig) -> set[int]:
    """Annotators whom the rule excludes, on the answers so far."""
    return {annotator for annotator, kinds in check_counts(reader).items() if too_many(kinds, config)}


def _failed(row: sqlite3.Row) -> bool:
    if row["kind"] == "corrupted":
        return bool(row["answer"] != ("right" if row["left_corrupted"] else "left"))
    # The sides were swapped: the same side twice is the other team.
    return bool(row["answer"] == row["earlier"] and row["answer"] != "draw")
