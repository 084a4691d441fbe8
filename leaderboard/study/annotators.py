"""Annotators: their tokens, and the sheets they are given."""

from __future__ import annotations

import re
import sqlite3
import time
from dataclasses import dataclass

from ipvg_eval.leaderboard.study import adaptive
from ipvg_eval.leaderboard.study.errors import StudyError
from ipvg_eval.leaderboard.study.secret import hashed, new_code, new_secret, same, signature
from ipvg_eval.leaderboard.study.sheets import free_sheet
from ipvg_eval.leaderboard.study.store import Study

_PID = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
_TOKEN = 32  # of 64 hexadecimal digits: 128 bits


@dataclass(frozen=True, kw_only=True)
class NewAnnotator:
    """An annotator and the token of their link. Only the token's hash is stored."""

    name: str
    token: str


def new_annotators(study: Study, count: int) -> list[NewAnnotator]:
    """Make annotators, each with a sheet and a token; fewer than asked where fewer sheets are needed.

    Raises:
        StudyError: every comparison is covered already, or an adaptive study has its answer.
    """
    made = []
    with study.writing() as writer:
        ended = study.config.adaptive is not None and adaptive.ended(writer)
        for _ in range(0 if ended else count):
            sheet = free_sheet(writer, study.config)
            if sheet is None:
                break
            made.append(_add(writer, study, sheet, pid=None, token=new_secret()))
    if ended:
        raise StudyError(
            "the study has ended: its stopping rule found the answer",
            path=study.path,
            hint="See `ipvg-eval study status`, and export the votes.",
        )
    if not made and count > 0:
        raise StudyError(
            "every comparison has its annotators already",
            path=study.path,
            hint="`ipvg-eval study release` frees the sheets of people who do not come back.",
        )
    return made


def invitation(study: Study, pid: str) -> str:
    """The path of the link by which one person joins: /join/PID/SIGNATURE.

    The signature is the HMAC-SHA256 of the id under the study's join key, in hexadecimal: a platform that
    knows who somebody is can sign as well.

    Raises:
        StudyError: the id is not 1 to 64 letters, digits, dots, dashes or underscores.
    """
    if not _PID.fullmatch(pid) or not pid.strip("."):
        raise StudyError(
            f"{pid[:80]!r} is no participant's id",
            hint="An id has 1 to 64 letters, digits, dots, dashes or underscores, and is not only dots.",
        )
    return f"/join/{pid}/{signature(study.join_key, pid)}"


def invited(study: Study, pid: str, signed: str) -> bool:
    """Whether this is the signature of that id."""
    return bool(_PID.fullmatch(pid)) and same(signed, signature(study.join_key, pid))


def join(study: Study, pid: str) -> NewAnnotator | None:
    """The annotator with an id whose signature was checked, made on first sight; None if no sheet is left.

    However often somebody joins, the token is the same: nobody is locked out, and nothing grows.
    """
    token = signature(study.join_key, f"token of {pid}")[:_TOKEN]
    with study.writing() as writer:
        row = writer.execute("SELECT name FROM annotator WHERE pid = ?", (pid,)).fetchone()
        if row is not None:
            return NewAnnotator(name=row["name"], token=token)
        joined = writer.execute("SELECT count(*) FROM annotator WHERE pid IS NOT NULL").fetchone()[0]
        if joined >= (study.config.join_limit or 2 * study.config.annotators):
            return None
        if study.config.adaptive is not None and adaptive.ended(writer):
            return None
        sheet = free_sheet(writer, study.config)
        return None if sheet is None else _add(writer, study, sheet, pid=pid, token=token)


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


def _add(
    writer: sqlite3.Connection, study: Study, sheet: int, *, pid: str | None, token: str
) -> NewAnnotator:
    number = writer.execute("SELECT count(*) FROM annotator").fetchone()[0] + 1
    name = f"annotator-{number:04d}"
    code = study.config.completion_code or new_code()
    cursor = writer.execute(
        "INSERT INTO annotator (name, pid, sheet, created, completion_code) VALUES (?, ?, ?, ?, ?)",
        (name, pid, sheet, time.time(), code),
    )
    writer.execute("INSERT INTO token VALUES (?, ?, ?)", (hashed(token), cursor.lastrowid, time.time()))
    if study.config.adaptive is not None:
        adaptive.extend(writer, study.config, sheet)
    return NewAnnotator(name=name, token=token)
