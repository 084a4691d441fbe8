"""One annotator's way through a sheet. Every answer is on the disk before the next step is told."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from typing import Any

from ipvg_eval.leaderboard.study import adaptive
from ipvg_eval.leaderboard.study.config import StudyConfig
from ipvg_eval.leaderboard.study.kinds import Side
from ipvg_eval.leaderboard.study.secret import hashed
from ipvg_eval.leaderboard.study.store import Study

# Browsers may end a clip this much before its nominal end.
_EARLY = 0.35


class Refused(Exception):
    """A request that does not fit the annotator's place in the sheet.

    Attributes:
        wait: seconds after which the same request can succeed; None if it never will.
    """

    def __init__(self, message: str, *, wait: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.wait = wait


class NotInStudy(Exception):
    """A request about a side, question or answer that the study does not have: it can never succeed."""


@dataclass(frozen=True, kw_only=True)
class Annotator:
    """Who a token belongs to."""

    id: int
    name: str
    sheet: int
    released: bool
    completion_code: str


def annotator_of(study: Study, token: str) -> Annotator | None:
    """Whose token this is; None if nobody's."""
    with study.reading() as reader:
        row = reader.execute(
            "SELECT a.* FROM token t JOIN annotator a ON a.id = t.annotator WHERE t.hash = ?",
            (hashed(token),),
        ).fetchone()
    if row is None:
        return None
    return Annotator(
        id=row["id"],
        name=row["name"],
        sheet=row["sheet"],
        released=bool(row["released"]),
        completion_code=row["completion_code"],
    )


def state(study: Study, annotator: Annotator) -> dict[str, Any]:
    """Where the annotator is, as the page needs it; notes when a step is shown first.

    Media are named by their opaque ids. Nothing tells teams, samples or attention checks.
    """
    with study.writing() as writer:
        return _state(writer, study.config, annotator, mark=True)


def watched(study: Study, annotator: Annotator, item: int, side: Side) -> dict[str, Any]:
    """Note that a clip of the current step was played to its end.

    Raises:
        Refused: another step is current, or less time has passed than the clip takes.
        NotInStudy: nothing is shown on that side.
    """
    if side not in study.config.shown.videos:
        raise NotInStudy
    with study.writing() as writer:
        current = _current(writer, study.config, annotator)
        if current is None or current["id"] != item:
            raise Refused("this is not the current step")
        row = writer.execute(
            "SELECT s.at, c.duration FROM clip c LEFT JOIN shown s ON s.item = ? WHERE c.id = ?",
            (item, current["left_clip"] if side == "left" else current["right_clip"]),
        ).fetchone()
        if row["at"] is None:
            raise Refused("this step was not shown yet")
        left = row["at"] + row["duration"] - _EARLY - time.time()
        if left > 0:
            raise Refused("the clip cannot have ended yet", wait=left)
        writer.execute("INSERT OR IGNORE INTO watched VALUES (?, ?, ?)", (item, side, time.time()))
        return _state(writer, study.config, annotator)


def vote(study: Study, annotator: Annotator, item: int, question: str, answer: str) -> dict[str, Any]:
    """Answer the current question.

    Raises:
        Refused: another step or question is current, as after a vote that was sent twice; or a clip was not
            watched to its end.
        NotInStudy: an unknown question or answer.
    """
    names = _check_question(study, question)
    if answer not in study.config.answers:
        raise NotInStudy
    with study.writing() as writer:
        current = _current(writer, study.config, annotator)
        if current is None or current["id"] != item or names[current["votes"]] != question:
            raise Refused("this is not the current question")
        if len(_watched(writer, item)) < len(study.config.shown.videos):
            raise Refused("watch everything to the end first")
        now = time.time()
        since = writer.execute(
            "SELECT max(at) FROM (SELECT at FROM shown WHERE item = ? UNION ALL "
            "SELECT at FROM vote WHERE item = ? AND undone IS NULL)",
            (item, item),
        ).fetchone()[0]
        writer.execute(
            "INSERT INTO vote (item, question, answer, at, seconds) VALUES (?, ?, ?, ?, ?)",
            (item, current["votes"], answer, now, max(0.0, now - since)),
        )
        return _state(writer, study.config, annotator, mark=True)


def undo(study: Study, annotator: Annotator, item: int, question: str) -> dict[str, Any]:
    """Take back the latest answer, which the caller names; it stays in the database as undone.

    Raises:
        Refused: the named answer is not the latest.
        NotInStudy: an unknown question.
    """
    _check_question(study, question)
    with study.writing() as writer:
        last = _last_vote(writer, study.config, annotator)
        if last is None or (last["item"], last["question"]) != (item, question):
            raise Refused("this is not the latest answer")
        writer.execute("UPDATE vote SET undone = ? WHERE id = ?", (time.time(), last["id"]))
        return _state(writer, study.config, annotator, mark=True)


def media_file(study: Study, annotator: Annotator, media: str) -> tuple[str, str] | None:
    """Name and content type of the file that a name in the annotator's sheet stands for; None for others."""
    with study.reading() as reader:
        row = reader.execute(_MEDIA, {"sheet": annotator.sheet, "media": media}).fetchone()
    return None if row is None else (row["file"], row["type"])


_MEDIA = """
SELECT c.media AS file, 'video/mp4' AS type FROM item i
  JOIN clip c ON c.id = CASE :media WHEN i.left_media THEN i.left_clip ELSE i.right_clip END
  WHERE :media IN (i.left_media, i.right_media) AND i.sheet = :sheet
UNION ALL
SELECT p.media, 'image/webp' FROM picture p
  JOIN clip c ON c.sample = p.sample
  JOIN item i ON i.left_clip = c.id
  WHERE p.media = :media AND i.sheet = :sheet
LIMIT 1
"""

_CURRENT = """
SELECT i.id, i.position, i.kind, i.left_clip, i.right_clip, i.left_media, i.right_media,
  (SELECT count(*) FROM vote v WHERE v.item = i.id AND v.undone IS NULL) AS votes
FROM item i WHERE i.sheet = ? AND votes < ? ORDER BY i.position LIMIT 1
"""


def _check_question(study: Study, question: str) -> list[str]:
    """The names of all questions, of which this must be one."""
    names = [known.name for known in study.config.questions]
    if question not in names:
        raise NotInStudy
    return names


def _current(reader: sqlite3.Connection, config: StudyConfig, annotator: Annotator) -> Any:
    if annotator.released:
        raise Refused("this place was given to somebody else")
    return reader.execute(_CURRENT, (annotator.sheet, len(config.questions))).fetchone()


def _last_vote(
    reader: sqlite3.Connection, config: StudyConfig, annotator: Annotator
) -> dict[str, Any] | None:
    row = reader.execute(
        "SELECT v.id, v.item, v.question FROM vote v JOIN item i ON i.id = v.item "
        "WHERE i.sheet = ? AND v.undone IS NULL ORDER BY i.position DESC, v.question DESC LIMIT 1",
        (annotator.sheet,),
    ).fetchone()
    if row is None:
        return None
    return {"id": row["id"], "item": row["item"], "question": config.questions[row["question"]].name}


def _watched(reader: sqlite3.Connection, item: int) -> list[str]:
    rows = reader.execute("SELECT side FROM watched WHERE item = ? ORDER BY side", (item,))
    return [row["side"] for row in rows]


def _state(
    writer: sqlite3.Connection, config: StudyConfig, annotator: Annotator, *, mark: bool = False
) -> dict[str, Any]:
    if config.adaptive is not None and not annotator.released:
        adaptive.extend(writer, config, annotator.sheet)
    current = _current(writer, config, annotator)
    total = _steps(writer, config, annotator)
    last = _last_vote(writer, config, annotator)
    undoable = None if last is None else {"item": last["item"], "question": last["question"]}
    if current is None:
        code = annotator.completion_code
        return {"done": True, "position": total, "total": total, "code": code, "undo": undoable}
    if mark:
        writer.execute("INSERT OR IGNORE INTO shown VALUES (?, ?)", (current["id"], time.time()))
    question = config.questions[current["votes"]]
    return {
        "done": False,
        "item": current["id"],
        "position": current["position"],
        "total": total,
        "question": {
            "name": question.name,
            "text": question.text,
            "anchors": config.anchors(question),
            "number": current["votes"] + 1,
            "of": len(config.questions),
        },
        "training": _training(writer, annotator) if current["kind"] == "training" else 0,
        "watched": _watched(writer, current["id"]),
        "undo": undoable,
        **_material(writer, current),
        "next": _next_media(writer, annotator, current["position"]),
    }


def _training(reader: sqlite3.Connection, annotator: Annotator) -> int:
    """Steps that do not count, at the start of the sheet."""
    query = "SELECT count(*) FROM item WHERE sheet = ? AND kind = 'training'"
    return int(reader.execute(query, (annotator.sheet,)).fetchone()[0])


def _steps(reader: sqlite3.Connection, config: StudyConfig, annotator: Annotator) -> int:
    if config.adaptive is not None:
        return adaptive.steps_in(reader, config, annotator.sheet)
    rows = reader.execute("SELECT count(*) FROM item WHERE sheet = ?", (annotator.sheet,))
    return int(rows.fetchone()[0])


def _material(reader: sqlite3.Connection, item: sqlite3.Row) -> dict[str, Any]:
    sample = reader.execute(
        "SELECT s.* FROM sample s JOIN clip c ON c.sample = s.name WHERE c.id = ?", (item["left_clip"],)
    ).fetchone()
    pictures = reader.execute(
        "SELECT media, label FROM picture WHERE sample = ? ORDER BY position", (sample["name"],)
    )
    return {
        "prompt": sample["prompt"],
        "timeline": "" if sample["timeline"] == sample["prompt"] else sample["timeline"],
        "references": [{"media": row["media"], "label": row["label"]} for row in pictures],
        "left": item["left_media"],
        "right": item["right_media"],
    }


def _next_media(reader: sqlite3.Connection, annotator: Annotator, position: int) -> list[str]:
    row = reader.execute(
        "SELECT left_media, right_media FROM item WHERE sheet = ? AND position = ?",
        (annotator.sheet, position + 1),
    ).fetchone()
    return [media for media in row or () if media is not None]
