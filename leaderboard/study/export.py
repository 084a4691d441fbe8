"""Votes of a study as tables."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from ipvg_eval.leaderboard.study.errors import StudyError
from ipvg_eval.leaderboard.study.exclusion import excluded
from ipvg_eval.leaderboard.study.store import DATABASE, Study, open_study
from ipvg_eval.leaderboard.votes import OPTIONAL, REQUIRED, Votes, votes_from_table

NO_VIDEO = "no-video"

_VOTES = """
SELECT l.sample AS sample, l.team AS team_a, r.team AS team_b,
  CASE v.answer WHEN 'left' THEN 'a' WHEN 'right' THEN 'b' ELSE 'draw' END AS winner,
  a.id AS id, a.name AS annotator, v.question AS question, v.at AS at, i.kind AS kind,
  l.corrupted AS a_corrupted, r.corrupted AS b_corrupted, v.seconds AS seconds, v.undone AS undone
FROM vote v
JOIN item i ON i.id = v.item
JOIN annotator a ON a.sheet = i.sheet
JOIN clip l ON l.id = i.left_clip
JOIN clip r ON r.id = i.right_clip
ORDER BY v.at, v.id
"""


_KEPT = ("sample", "team_a", "team_b", "winner", "annotator", "kind", "a_corrupted", "b_corrupted", "seconds")


def votes_table(study: Study) -> pd.DataFrame:
    """The votes that count: sample, team_a, team_b, winner, annotator, question, time (ISO 8601, UTC).

    team_a stood on the left. Attention checks, undone votes and excluded annotators are left out. Where a
    missing video counts as a loss, such comparisons come first, by the annotator "no-video".

    Raises:
        StudyError: it is a rating study.
    """
    audit = audit_table(study)
    counting = audit[(audit["kind"] == "pair") & ~audit["undone"] & ~audit["excluded"]]
    given = counting[[*REQUIRED, *OPTIONAL]]
    return pd.concat([_without_video(study), given], ignore_index=True)


def audit_table(study: Study) -> pd.DataFrame:
    """Every vote that was ever given, undone ones and attention checks as well.

    The columns of `votes_table`, then kind ("pair", "repeat" or "corrupted"), a_corrupted and b_corrupted
    (whether that side was the corrupted copy), seconds (since the pair was shown or the last answer), undone
    and excluded (whether the study's rule excludes the annotator).

    Raises:
        StudyError: it is a rating study.
    """
    if study.config.kind != "pair":
        raise StudyError(
            "this study rates single videos and holds no votes on pairs",
            path=study.path,
            hint="Give it as opinion scores: --opinions.",
        )
    with study.reading() as reader:
        out = excluded(reader, study.config)
        rows = [_audit_row(row, study, out) for row in reader.execute(_VOTES)]
    columns = [*REQUIRED, *OPTIONAL, "kind", "a_corrupted", "b_corrupted", "seconds", "undone", "excluded"]
    types = dict.fromkeys(("a_corrupted", "b_corrupted", "undone", "excluded"), bool)
    return pd.DataFrame(rows, columns=columns).astype(types)


def study_votes(path: Path | str) -> Votes:
    """Checked votes of a study, for ratings.

    Args:
        path: the study's folder or its study.db.

    Raises:
        StudyError: there is no study, or no vote that counts.
    """
    study = open_study(path)
    table = votes_table(study)
    if table.empty:
        raise StudyError("no vote counts yet", path=study.path, hint="See `ipvg-eval study status`.")
    return votes_from_table(table, source=str(study.path / DATABASE))


def _audit_row(row: sqlite3.Row, study: Study, out: set[int]) -> dict[str, object]:
    return {
        **{name: row[name] for name in _KEPT},
        "question": study.config.questions[row["question"]].name,
        "time": datetime.fromtimestamp(row["at"], UTC).isoformat(timespec="milliseconds"),
        "undone": row["undone"] is not None,
        "excluded": row["id"] in out,
    }


def _without_video(study: Study) -> pd.DataFrame:
    with study.reading() as reader:
        rows = reader.execute("SELECT * FROM left_out WHERE winner IS NOT NULL ORDER BY sample, one, other")
        records = [
            {
                "sample": row["sample"],
                "team_a": row["one"],
                "team_b": row["other"],
                "winner": "a" if row["winner"] == row["one"] else "b",
                "annotator": NO_VIDEO,
                "question": question.name,
                "time": "",
            }
            for row in rows
            for question in study.config.questions
        ]
    return pd.DataFrame(records, columns=[*REQUIRED, *OPTIONAL])
