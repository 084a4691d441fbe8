"""Opinion scores: sheets in which people rate one video per aspect from 1 to 5."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ipvg_eval.core.suggest import did_you_mean, listed
from ipvg_eval.leaderboard.errors import VotesError
from ipvg_eval.leaderboard.sheet import Sheet, bad_lines, read_sheet

LOWEST, HIGHEST = 1, 5
MEAN_OF_ASPECTS = "mean"
_KEYS = ("team", "sample")
_NOT_ASPECTS = (*_KEYS, "annotator", "time", "aspect", "score")


@dataclass(frozen=True, kw_only=True, eq=False)
class OpinionSheet:
    """Checked opinion scores.

    Attributes:
        source: where they came from.
        sha256: hash of the file.
        aspects: what was rated, in the sheet's order.
        table: one row per score: team, sample, annotator (empty where unknown), aspect, score (1 to 5), line.
    """

    source: str
    sha256: str
    aspects: tuple[str, ...]
    table: pd.DataFrame

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

    Wide: team, sample, perhaps annotator and time, and one column per aspect (an empty cell is no score).
    Long: team, sample, aspect, score, and perhaps annotator and time.

    Raises:
        VotesError: unreadable, a missing column, or lines that are malformed, hold a score that is not a
            whole number from 1 to 5, or repeat a score; every such line is named.
    """
    sheet = read_sheet(path, check_header=lambda header: _check_columns(header, path))
    long = "aspect" in sheet.header
    aspects = [name for name in sheet.header if name not in _NOT_ASPECTS]
    if long:
        aspects = list(dict.fromkeys(cells["aspect"] for _, cells in sheet.records if cells["aspect"]))
    rows, problems = _scores(sheet, aspects, long=long)
    if problems:
        hint = "Scores are whole numbers from 1 to 5; several people's scores need a column `annotator`."
        raise bad_lines(problems, path=sheet.path, hint=hint)
    if not rows:
        raise VotesError("there is no score", path=path, hint="Below the header, one line per rating.")
    given = {row["aspect"] for row in rows}
    return OpinionSheet(
        source=sheet.path,
        sha256=sheet.sha256,
        aspects=tuple(aspect for aspect in aspects if aspect in given),
        table=pd.DataFrame(rows),
    )


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
    sheet: Sheet, aspects: Sequence[str], *, long: bool
) -> tuple[list[dict[str, object]], list[tuple[int, str]]]:
    rows: list[dict[str, object]] = []
    problems = list(sheet.problems)
    seen: dict[tuple[str, ...], int] = {}
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
            if text not in {str(score) for score in range(LOWEST, HIGHEST + 1)}:
                problems.append((line, f"{aspect} {text!r} is not a whole number from {LOWEST} to {HIGHEST}"))
            elif key in seen:
                problems.append((line, f"the same {aspect} score as line {seen[key]}"))
            seen.setdefault(key, line)
            fields = {"team": key[0], "sample": key[1], "annotator": annotator, "aspect": aspect}
            rows.append({**fields, "score": int(text) if text.isdecimal() else 0, "line": line})
    return rows, problems
