"""Sheets in the database: one per annotator, each a fixed row of steps."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from ipvg_eval.leaderboard.study.checks import Clip, Item, Kind, training_tasks, with_checks
from ipvg_eval.leaderboard.study.config import StudyConfig
from ipvg_eval.leaderboard.study.exclusion import excluded
from ipvg_eval.leaderboard.study.plan import Task, random_stream, take_sides, task_of
from ipvg_eval.leaderboard.study.secret import new_media_id

_COVERED = """
SELECT l.sample AS sample, l.team AS one, r.team AS other,
  a.id AS annotator, a.released AS released,
  (SELECT count(*) FROM vote v WHERE v.item = i.id AND v.undone IS NULL) AS votes
FROM item i
JOIN clip l ON l.id = i.left_clip
LEFT JOIN clip r ON r.id = i.right_clip
LEFT JOIN annotator a ON a.sheet = i.sheet
WHERE i.kind IN ('pair', 'rating')
"""


def add_sheet(writer: sqlite3.Connection, items: Sequence[Item]) -> int:
    """Write a sheet and return its id."""
    clips = {
        Clip(sample=row["sample"], team=row["team"], corrupted=bool(row["corrupted"])): row["id"]
        for row in writer.execute("SELECT id, sample, team, corrupted FROM clip")
    }
    sheet = writer.execute("INSERT INTO sheet DEFAULT VALUES").lastrowid
    assert sheet is not None
    ids: list[int] = []
    for position, item in enumerate(items):
        origin = None if item.origin is None else ids[item.origin]
        right = None if item.right is None else clips[item.right]
        ids.append(add_step(writer, sheet, position, item.kind, clips[item.left], right, origin))
    return sheet


def add_step(
    writer: sqlite3.Connection,
    sheet: int,
    position: int,
    kind: Kind,
    left_clip: int,
    right_clip: int | None,
    origin: int | None,
) -> int:
    """Write one step of a sheet and return its id; there is no right clip where one is rated."""
    media = (new_media_id(), None if right_clip is None else new_media_id())
    cursor = writer.execute(
        "INSERT INTO item (sheet, position, kind, left_clip, right_clip, left_media, right_media, origin) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (sheet, position, kind, left_clip, right_clip, *media, origin),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def free_sheet(writer: sqlite3.Connection, config: StudyConfig) -> int | None:
    """A sheet nobody has, or a new one of what excluded and released annotators left open.

    None if every comparison is covered.
    """
    row = writer.execute(
        "SELECT id FROM sheet WHERE id NOT IN (SELECT sheet FROM annotator) ORDER BY id LIMIT 1"
    ).fetchone()
    if row is not None:
        return int(row["id"])
    tasks = uncovered(writer, config)
    if not tasks:
        return None
    if config.adaptive:
        return add_sheet(writer, [])
    sheets = writer.execute("SELECT count(*) FROM sheet").fetchone()[0]
    wanted = writer.execute("SELECT sum(wanted) FROM comparison").fetchone()[0]
    rng = random_stream(config.seed, f"sheet {sheets}")
    rng.shuffle(tasks)
    chosen = tasks[: -(-wanted // config.annotators)]
    training = training_tasks(chosen, list(_wanted(writer)), config.training, rng)
    showings, first = take_sides([chosen, training], rng)
    return add_sheet(writer, with_checks(showings, spoilt_copies(writer), config.checks, rng, first))


def spoilt_copies(reader: sqlite3.Connection) -> list[Clip]:
    """The corrupted copies that there are."""
    return [
        Clip(sample=row["sample"], team=row["team"], corrupted=True)
        for row in reader.execute("SELECT sample, team FROM clip WHERE corrupted ORDER BY sample, team")
    ]


def uncovered(reader: sqlite3.Connection, config: StudyConfig) -> list[Task]:
    """Comparisons or ratings that fewer annotators have judged, or are going to judge, than wanted.

    Excluded annotators do not count; released ones count for what they have judged.
    """
    out = excluded(reader, config)
    left = _wanted(reader)
    for row in reader.execute(_COVERED):
        pending = row["annotator"] is None or not row["released"]
        judged = row["votes"] == len(config.questions)
        if row["annotator"] not in out and (judged or pending):
            left[task_of(row["sample"], row["one"], row["other"])] -= 1
    return [task for task, count in left.items() if count > 0]


def _wanted(reader: sqlite3.Connection) -> dict[Task, int]:
    rows = reader.execute("SELECT * FROM comparison ORDER BY sample, one, other")
    return {task_of(row["sample"], row["one"], row["other"]): int(row["wanted"]) for row in rows}
