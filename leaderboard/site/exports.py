"""The tables beside the pages: CSV and JSON for programs, LaTeX and Markdown for papers and posts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ipvg_eval.core.file_names import file_name
from ipvg_eval.core.page import points
from ipvg_eval.core.printable import csv_text, latex_best, latex_text, markdown_text
from ipvg_eval.leaderboard.site.track import Shown, Track

_TEXT = ("Team", "Question", "Metric")


@dataclass(frozen=True, kw_only=True)
class Download:
    """One file beside the pages.

    Attributes:
        name: its file name.
        about: what is in it.
        text: its content.
    """

    name: str
    about: str
    text: str

    @property
    def address(self) -> str:
        """Where it lies in the site."""
        return f"downloads/{self.name}"


def track_downloads(track: Track) -> Iterator[Download]:
    """Every table of a track; values of single samples only where the site is not public."""
    board, name = track.board, track.id
    ranking, printed = _ranking(track), _printed(track)
    latex = latex_table(
        printed, {str(name): str(name).endswith("↑") for name in printed if str(name).endswith(("↑", "↓"))}
    )
    yield Download(name=f"{name}-ranking.csv", about="final ranking with every score", text=csv_text(ranking))
    yield Download(name=f"{name}-ranking.md", about="the same as a Markdown table", text=_markdown(printed))
    yield Download(name=f"{name}-ranking.tex", about="the same as a LaTeX table", text=latex)
    scores = board.scores.table
    if track.public:
        scores = scores.drop(columns=["min", "max"])
    yield Download(name=f"{name}-scores.csv", about="scores with intervals and counts", text=csv_text(scores))
    ranks = board.phase1.ranks.add_suffix("_rank").reset_index(names="team")
    phase1 = board.phase1.table.merge(ranks, on="team")
    yield Download(name=f"{name}-phase1.csv", about="ranks, rank sums, finalists", text=csv_text(phase1))
    steps = board.differences
    yield Download(name=f"{name}-differences.csv", about="paired differences of teams", text=csv_text(steps))
    for question, ratings in board.ratings.items():
        stem = f"{name}-{file_name(question)}"
        yield Download(name=f"{stem}-ratings.csv", about=f"ratings, {question}", text=csv_text(ratings.table))
        wins = ratings.wins.reset_index(names="team")
        yield Download(name=f"{stem}-wins.csv", about=f"win matrix, {question}", text=csv_text(wins))
    if board.opinions:
        opinions = board.opinions.table
        yield Download(name=f"{name}-opinions.csv", about="mean opinion scores", text=csv_text(opinions))
    if track.protocol_text:
        text = track.protocol_text
        yield Download(name=f"{name}-protocol.yaml", about="the protocol as it was used", text=text)
    if not track.public:
        samples = board.samples
        yield Download(
            name=f"{name}-samples.csv", about="values of every sample (hidden)", text=csv_text(samples)
        )


def _ranking(track: Track) -> pd.DataFrame:
    """One row per team, baselines last: every number with its own column."""
    phase1 = {row["team"]: row for row in track.phase1}
    rows = []
    for final in [*track.final, *({"team": team} for team in track.board.baselines)]:
        team = final["team"]
        first: dict[str, Any] = phase1.get(team, {})
        row = {
            "rank": final.get("rank"),
            "team": team,
            "status": "ranked" if final.get("rank") else "baseline",
            "phase1_rank": first.get("rank"),
            "rank_sum": first.get("rank_sum"),
            "finalist": first.get("finalist", False),
            "eligible": first.get("eligible", False),
            "judgement": final.get("judgement"),
            "weighted_sum": final.get("score"),
        }
        for shown in track.metrics:
            score = track.scores[team, shown.name]
            ends = {f"{shown.name}_{end}": score[end] for end in ("low", "high", "count", "missing_reason")}
            row |= {shown.name: score["mean"], **ends}
        rows.append(row)
    return pd.DataFrame(rows).astype({"rank": "Int64", "phase1_rank": "Int64"})


def _printed(track: Track) -> pd.DataFrame:
    """The ranking as a paper prints it: text, ranking metrics only."""
    judged = track.board.final.stage == "final"
    column = "Study points" if track.board.final.rule.subjective == "study" else "Opinion score"
    rows = []
    for final in [*track.final, *({"team": team} for team in track.board.baselines)]:
        team = final["team"]
        row = {"Rank": str(final.get("rank", "–")), "Team": team}
        for shown in track.ranked:
            row[f"{shown.title} {shown.metric.arrow}".strip()] = _score(track.scores[team, shown.name], shown)
        row["Phase 1"] = str(final.get("phase1_rank", "–"))
        if judged:
            row[f"{column} ↑"] = points(final.get("judgement"))
        rows.append(row)
    return pd.DataFrame(rows)


def _score(score: dict[str, Any], shown: Shown) -> str:
    if score["missing_reason"] or score["mean"] is None:
        return "missing"
    return f"{score['mean']:.{shown.decimals}f}"


def _markdown(table: pd.DataFrame) -> str:
    def line(cells: Any) -> str:
        return "| " + " | ".join(markdown_text(str(cell)) for cell in cells) + " |"

    rule = "|" + "|".join("---" if name == "Team" else "--:" for name in table.columns) + "|"
    return (
        "\n".join([line(table.columns), rule, *(line(row) for row in table.itertuples(index=False))]) + "\n"
    )


def latex_table(table: pd.DataFrame, better: Mapping[str, bool] | None = None) -> str:
    r"""A booktabs table; the preamble needs \usepackage{booktabs}.

    Args:
        table: its cells.
        better: whether higher is better, for columns whose best is printed bold and whose second underlined.
    """
    typeset = table.map(_typeset)
    for column, higher in (better or {}).items():
        typeset[column] = latex_best(typeset[column].tolist(), higher)
    style = typeset.style.hide(axis="index").format_index(_typeset, axis=1)
    return str(style.to_latex(hrules=True, column_format="".join("l" if c in _TEXT else "r" for c in table)))


def _typeset(cell: object) -> str:
    return latex_text(str(cell))
