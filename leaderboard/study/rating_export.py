"""Ratings of a study as opinion sheets."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from ipvg_eval.leaderboard.opinions import LONG_SHEET, OpinionSheet, opinions_from_table
from ipvg_eval.leaderboard.study.errors import StudyError
from ipvg_eval.leaderboard.study.exclusion import excluded
from ipvg_eval.leaderboard.study.export import NO_VIDEO
from ipvg_eval.leaderboard.study.store import DATABASE, Study, open_study

_AUDIT = ("kind", "corrupted", "seconds", "undone", "excluded")

_RATINGS = """
SELECT c.team AS team, c.sample AS sample, a.name AS annotator, CAST(v.answer AS INTEGER) AS score,
  a.id AS id, v.question AS question, v.at AS at, i.kind AS kind, c.corrupted AS corrupted,
  v.seconds AS seconds, v.undone AS undone
FROM vote v
JOIN item i ON i.id = v.item
JOIN annotator a ON a.sheet = i.sheet
JOIN clip c ON c.id = i.left_clip
ORDER BY v.at, v.id
"""


def opinions_table(study: Study) -> pd.DataFrame:
    """The ratings that count: team, sample, annotator, aspect, score, scale, time (ISO 8601, UTC).

    Training, attention checks, undone ratings and excluded annotators are left out. Where a missing video
    counts as a loss it comes first, with the lowest score in every aspect, by the annotator "no-video".

    Raises:
        StudyError: it is a study of pairs.
    """
    audit = ratings_audit(study)
    counting = audit[(audit["kind"] == "rating") & ~audit["undone"] & ~audit["excluded"]]
    return pd.concat([_without_video(study), counting[[*LONG_SHEET]]], ignore_index=True)


def ratings_audit(study: Study) -> pd.DataFrame:
    """Every rating that was ever given.

    The columns of `opinions_table`, then kind ("rating", "training", "repeat" or "corrupted"), corrupted
    (whether the video was the corrupted copy), seconds (since the video was shown or the last answer), undone
    and excluded (whether the study's rule excludes the annotator).

    Raises:
        StudyError: it is a study of pairs.
    """
    if study.config.kind != "rating":
        raise StudyError(
            "this study compares pairs and holds no opinion scores",
            path=study.path,
            hint="Give it as votes: --votes.",
        )
    scale = str(study.config.scale.scale)
    with study.reading() as reader:
        out = excluded(reader, study.config)
        rows = [
            {
                **{name: row[name] for name in ("team", "sample", "annotator", "score", "kind", "seconds")},
                "aspect": study.config.questions[row["question"]].name,
                "scale": scale,
                "time": datetime.fromtimestamp(row["at"], UTC).isoformat(timespec="milliseconds"),
                "corrupted": row["corrupted"],
                "undone": row["undone"] is not None,
                "excluded": row["id"] in out,
            }
            for row in reader.execute(_RATINGS)
        ]
    types = {"score": int, **dict.fromkeys(("corrupted", "undone", "excluded"), bool)}
    return pd.DataFrame(rows, columns=[*LONG_SHEET, *_AUDIT]).astype(types)


def study_opinions(path: Path | str) -> OpinionSheet:
    """The opinion scores of a rating study.

    Args:
        path: the study's folder or its study.db.

    Raises:
        StudyError: there is no study, it is one of pairs, or no rating counts.
    """
    study = open_study(path)
    table = opinions_table(study)
    if table.empty:
        raise StudyError("no rating counts yet", path=study.path, hint="See `ipvg-eval study status`.")
    return opinions_from_table(table, scale=study.config.scale.scale, source=str(study.path / DATABASE))


def _without_video(study: Study) -> pd.DataFrame:
    config = study.config
    with study.reading() as reader:
        left_out = reader.execute("SELECT sample, one FROM left_out ORDER BY sample, one").fetchall()
    records = [
        {
            "team": row["one"],
            "sample": row["sample"],
            "annotator": NO_VIDEO,
            "aspect": question.name,
            "score": config.scale.lowest,
            "scale": str(config.scale.scale),
            "time": "",
        }
        for row in left_out
        for question in config.questions
        if config.missing == "loss"
    ]
    return pd.DataFrame(records, columns=[*LONG_SHEET]).astype({"score": int})
