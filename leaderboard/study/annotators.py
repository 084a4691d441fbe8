"""Annotators: their tokens, and the sheets they are given."""

from __future__ import annotations

import re
import sqlite3
import time
from dataclasses import dataclass

from ipvg_eval.leaderboard.study.errors import StudyError
from ipvg_eval.leaderboard.study.secret import hashed, new_code, new_secret
from ipvg_eval.leaderboard.study.sheets import free_sheet
from ipvg_eval.leaderboard.study.store import Study

_PID = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
_TOKENS_KEPT = 10


@dataclass(frozen=True, kw_only=True)
class NewAnnotator:
    """An annotator and the token of their link. Only the token's hash is stored."""

    name: str
    token: str


def new_annotators(study: Study, count: int) -> list[NewAnnotator]:
    """Make annotators, each with a sheet and a token; fewer than asked where fewer sheets are needed.

    Raises:
        StudyError: every comparison is covered already.
    """
    made = []
    with study.writing() as writer:
        for _ in range(count):
            sheet = free_sheet(writer, study.config)
            if sheet is None:
                break
            made.append(_add(writer, study, sheet, pid=None))
    if not made and count > 0:
        raise StudyError(
            "every comparison has its annotators already",
            path=study.path,
            hint="`ipvg-eval study release` frees the sheets of people who do not come back.",
        )
    return made


def join(study: Study, pid: str) -> NewAnnotator | None:
    """The annotator with this id of a crowd platform, made on first sight; None if no sheet is left.

    Each call gives a new token; the latest ten stay valid.

    Raises:
        StudyError: the id is not 1 to 64 letters, digits, dots, dashes or underscores.
    """
    if not _PID.fullmatch(pid):
        raise StudyError("a participant id has 1 to 64 letters, digits, dots, dashes or underscores")
    with study.writing() as writer:
        row = writer.execute("SELECT id, name FROM annotator WHERE pid = ?", (pid,)).fetchone()
        if row is None:
            sheet = free_sheet(writer, study.config)
            return None if sheet is None else _add(writer, study, sheet, pid=pid)
        return NewAnnotator(name=row["name"], token=_new_token(writer, row["id"]))


def release(study: Study, *, names: tuple[str, ...] = (), idle_hours: float | None = None) -> list[str]:
    """Free what annotators have not judged yet, so that others get it. Their votes stay; their links end.

    Args:
        study: the study.
        names: whom.
        idle_hours: everybody who has not finished and did nothing for so long.

    Returns:
        the names of those who were released now.

    Raises:
        StudyError: an unknown name.
    """
    with study.writing() as writer:
        rows = {row["name"]: row for row in writer.execute(_LAST_SEEN)}
        unknown = [name for name in names if name not in rows]
        if unknown:
            raise StudyError(f"there is no annotator {unknown[0]!r}", path=study.path)
        limit = None if idle_hours is None else time.time() - 3600 * idle_hours
        steps = len(study.config.questions)
        chosen = [
            name
            for name, row in rows.items()
            if not row["released"]
            and row["votes"] < row["items"] * steps
            and (name in names or (limit is not None and row["seen"] < limit))
        ]
        writer.executemany("UPDATE annotator SET released = 1 WHERE name = ?", [(name,) for name in chosen])
    return chosen


_LAST_SEEN = """
SELECT a.name AS name, a.released AS released,
  (SELECT count(*) FROM item i WHERE i.sheet = a.sheet) AS items,
  (SELECT count(*) FROM vote v JOIN item i ON i.id = v.item
    WHERE i.sheet = a.sheet AND v.undone IS NULL) AS votes,
  max(a.created, coalesce((SELECT max(v.at) FROM vote v JOIN item i ON i.id = v.item
    WHERE i.sheet = a.sheet), 0), coalesce((SELECT max(s.at) FROM shown s JOIN item i ON i.id = s.item
    WHERE i.sheet = a.sheet), 0)) AS seen
FROM annotator a ORDER BY a.id
"""


def _add(writer: sqlite3.Connection, study: Study, sheet: int, *, pid: str | None) -> NewAnnotator:
    number = writer.execute("SELECT count(*) FROM annotator").fetchone()[0] + 1
    name = f"annotator-{number:04d}"
    code = study.config.completion_code or new_code()
    cursor = writer.execute(
        "INSERT INTO annotator (name, pid, sheet, created, completion_code) VALUES (?, ?, ?, ?, ?)",
        (name, pid, sheet, time.time(), code),
    )
    assert cursor.lastrowid is not None
    return NewAnnotator(name=name, token=_new_token(writer, cursor.lastrowid))


def _new_token(writer: sqlite3.Connection, annotator: int) -> str:
    token = new_secret()
    writer.execute("INSERT INTO token VALUES (?, ?, ?)", (hashed(token), annotator, time.time()))
    writer.execute(
        "DELETE FROM token WHERE annotator = ? AND hash NOT IN "
        "(SELECT hash FROM token WHERE annotator = ? ORDER BY created DESC LIMIT ?)",
        (annotator, annotator, _TOKENS_KEPT),
    )
    return token
