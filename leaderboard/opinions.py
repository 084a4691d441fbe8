"""Opinion scores: sheets in which people rate one video per aspect, from 1 to 5 unless they say otherwise."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ipvg_eval.core.names import composed, team_name
from ipvg_eval.core.suggest import did_you_mean, listed
from ipvg_eval.leaderboard.errors import VotesError
from ipvg_eval.leaderboard.sheet import Sheet, bad_lines, read_sheet

MEAN_OF_ASPECTS = "mean"
LONG_SHEET = ("team", "sample", "annotator", "aspect", "score", "scale", "time")
"""Columns of a sheet with one score per line."""
_KEYS = ("team", "sample")
_NOT_ASPECTS = LONG_SHEET
_SCALE = re.compile(r"([0-9]{1,2}) to ([0-9]{1,2})")


@dataclass(frozen=True)
class Scale:
    """The whole numbers that scores may be; written "1 to 5", as "1-5" is a date to spreadsheets."""

    lowest: int = 1
    highest: int = 5

    def __str__(self) -> str:
        return f"{self.lowest} to {self.highest}"

    @property
    def points(self) -> tuple[int, ...]:
        """Every score there is, the lowest first."""
        return tuple(range(self.lowest, self.highest + 1))

    def share(self, score: float) -> float:
        """Where a score lies between the lowest (0) and the highest (1)."""
        return (score - self.lowest) / (self.highest - self.lowest)


@dataclass(frozen=True, kw_only=True, eq=False)
class OpinionSheet:
    """Checked opinion scores.

    Attributes:
        source: where they came from.
        sha256: hash of the file.
        aspects: what was rated, in the sheet's order.
        table: one row per score: team, sample, annotator (empty where unknown), aspect, score, line.
        scale: of every score.
    """

    source: str
    sha256: str
    aspects: tuple[str, ...]
    table: pd.DataFrame
    scale: Scale = Scale()

    @property
    def teams(self) -> tuple[str, ...]:
        """Every team that is rated, by name."""
        return tuple(sorted(set(self.table["team"])))

    def check(self, *, teams: Collection[str], samples: Collection[str] | None = None) -> None:
        """Refuse scores of unknown teams or samples.

        Raises:
            VotesError: names the lines.
        """
        problems = {}
        for row in self.table.itertuples():
            if row.team not in teams:
                problems[row.line] = f"line {row.line}: unknown team {row.team!r}"
            elif samples is not None and row.sample not in samples:
                problems[row.line] = f"line {row.line}: unknown sample {row.sample!r}"
        if problems:
            unknown = [team for team in self.teams if team not in teams]
            raise VotesError(
                "scores of what the runs do not have:\n" + listed(list(problems.values())),
                path=self.source,
                hint=did_you_mean(unknown[0], teams)
                if unknown
                else "Samples are named as in the runs' tables.",
            )


def read_opinions(path: Path | str) -> OpinionSheet:
    """Read opinion scores from CSV.

    Wide: team, sample, perhaps annotator, scale and time, and one column per aspect (an empty cell is no
    score). Long: team, sample, aspect, score, and perhaps annotator, scale and time. A scale reads "0 to 5"
    and is the same in every line; without one it is 1 to 5.

    Raises:
        VotesError: unreadable, a missing column, or lines that are malformed, hold a score that is no
            whole number of the scale, or repeat a score; every such line is named.
    """
    sheet = read_sheet(path, check_header=lambda header: _check_columns(header, path))
    long = "aspect" in sheet.header
    aspects = [name for name in sheet.header if name not in _NOT_ASPECTS]
    if long:
        aspects = list(dict.fromkeys(cells["aspect"] for _, cells in sheet.records if cells["aspect"]))
    scale = _scale(sheet)
    rows, problems = _scores(sheet, aspects, scale, long=long)
    if problems:
        hint = f"Scores are whole numbers from {scale}; several people's scores need a column `annotator`."
        raise bad_lines(problems, path=sheet.path, hint=hint)
    if not rows:
        raise VotesError("there is no score", path=path, hint="Below the header, one line per rating.")
    given = {row["aspect"] for row in rows}
    return OpinionSheet(
        source=sheet.path,
        sha256=sheet.sha256,
        aspects=tuple(aspect for aspect in aspects if aspect in given),
        table=pd.DataFrame(rows).assign(team=lambda table: table["team"].map(team_name)),
        scale=scale,
    )


def opinions_from_table(table: pd.DataFrame, *, scale: Scale, source: str) -> OpinionSheet:
    """Opinion scores that are checked already, such as an export of a study.

    Args:
        table: the columns of `LONG_SHEET`, at least one row.
        scale: of every score.
        source: what to call it in messages.
    """
    scores = table[["team", "sample", "annotator", "aspect", "score"]].reset_index(drop=True)
    scores = scores.assign(team=scores["team"].map(team_name), sample=scores["sample"].map(composed))
    return OpinionSheet(
        source=source,
        sha256=hashlib.sha256(table.to_csv(index=False).encode()).hexdigest(),
        aspects=tuple(dict.fromkeys(scores["aspect"])),
        table=scores.assign(line=scores.index + 2),
        scale=scale,
    )


def _scale(sheet: Sheet) -> Scale:
    given = list(dict.fromkeys(cells.get("scale", "") for _, cells in sheet.records)) or [""]
    if given == [""]:
        return Scale()
    found = _SCALE.fullmatch(given[0])
    scale = Scale(*(int(end) for end in found.groups())) if found else None
    if scale is None or scale.lowest >= scale.highest or len(given) > 1:
        raise VotesError(
            f"column `scale` holds {' and '.join(repr(text) for text in given[:2])}",
            path=sheet.path,
            hint="Write one scale such as 0 to 5 in every line, or leave the column out: then it is 1 to 5.",
        )
    return scale


def _check_columns(header: Sequence[str], path: Path | str) -> None:
    for column in _KEYS:
        if column not in header:
            raise VotesError(
                f"line 1: there is no column {column!r}",
                path=path,
                hint="The first line is team,sample,annotator and then one column per aspect.",
            )
    if ("aspect" in header) != ("score" in header):
        raise VotesError("line 1: columns `aspect` and `score` come together", path=path)
    aspects = [name for name in header if name not in _NOT_ASPECTS]
    if "aspect" in header and aspects:
        raise VotesError(
            f"line 1: unknown column {aspects[0]!r} beside `aspect`",
            path=path,
            hint=did_you_mean(aspects[0], _NOT_ASPECTS),
        )
    if "aspect" not in header and not aspects:
        raise VotesError("line 1: no column holds an aspect", path=path, hint="Add one, such as `identity`.")
    if MEAN_OF_ASPECTS in aspects:
        raise VotesError(
            f"line 1: an aspect cannot be called {MEAN_OF_ASPECTS!r}",
            path=path,
            hint="Leave the mean out: it is computed.",
        )


def _scores(
    sheet: Sheet, aspects: Sequence[str], scale: Scale, *, long: bool
) -> tuple[list[dict[str, object]], list[tuple[int, str]]]:
    rows: list[dict[str, object]] = []
    problems = list(sheet.problems)
    seen: dict[tuple[str, ...], int] = {}
    allowed = {str(score) for score in scale.points}
    for line, cells in sheet.records:
        empty = [key for key in (*_KEYS, *(("aspect", "score") if long else ())) if not cells[key]]
        if empty:
            problems.append((line, f"no {empty[0]}"))
            continue
        annotator = cells.get("annotator", "")
        for aspect in [cells["aspect"]] if long else aspects:
            text = cells["score" if long else aspect]
            if not text:
                continue
            key = (cells["team"], cells["sample"], annotator, aspect)
            if text not in allowed:
                problems.append((line, f"{aspect} {text!r} is not a whole number from {scale}"))
            elif key in seen:
                problems.append((line, f"the same {aspect} score as line {seen[key]}"))
            seen.setdefault(key, line)
            fields = {"team": key[0], "sample": key[1], "annotator": annotator, "aspect": aspect}
            rows.append({**fields, "score": int(text) if text.isdecimal() else 0, "line": line})
    return rows, problems
