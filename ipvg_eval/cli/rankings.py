"""Rankings and ratings as tables on the terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ipvg_eval.core.page import points
from ipvg_eval.leaderboard import PairwiseRatings, TrackBoard
from ipvg_eval.results.summary import number

_NAME_WIDTH = 20


def final_table(track: TrackBoard) -> Table:
    """The final ranking of a track with the scores that were ranked; baselines last."""
    table = _table(f"{track.title} · {'final ranking' if track.final.stage == 'final' else 'phase 1'}")
    table.add_column("rank", justify="right")
    _add_team_column(table, [*track.final.table["team"], *track.baselines])
    judged = track.final.stage == "final"
    if judged:
        table.add_column(
            "points ↑" if track.final.rule.subjective == "study" else "opinion ↑", justify="right"
        )
    table.add_column("phase 1", justify="right")
    ranked = track.scores.ranked
    for metric in ranked:
        table.add_column(escape(f"{metric.name} {metric.arrow}"), justify="right", overflow="fold")
    scores = track.scores.matrix(counting=True)
    for row in track.final.table.to_dict("records"):
        values = [_score(scores.loc[row["team"], metric.name]) for metric in ranked]
        judgement = [_points(row["judgement"])] if judged else []
        table.add_row(str(row["rank"]), escape(row["team"]), *judgement, str(row["phase1_rank"]), *values)
    for team in track.baselines:
        values = [_score(scores.loc[team, metric.name]) for metric in ranked]
        table.add_row("–", f"{escape(team)} [dim]baseline[/]", *(["–"] if judged else []), "–", *values)
    return table


def ratings_table(ratings: PairwiseRatings) -> Table:
    """Points and ratings of every team with intervals."""
    table = _table(f"question {ratings.question} · {ratings.votes} votes, {ratings.comparisons} comparisons")
    table.add_column("rank", justify="right")
    _add_team_column(table, list(ratings.table["team"]))
    for name in ("points ↑", "of", "Bradley-\nTerry ↑", "Elo,\nmedian ↑", "Elo,\nin order", "rank\nrange"):
        table.add_column(name, justify="right")
    for row in ratings.table.to_dict("records"):
        table.add_row(
            str(row["rank"]),
            escape(row["team"]),
            f"{_points(row['points'])}{_ends(row['points_low'], row['points_high'])}",
            str(row["comparisons"]),
            _points(row["bradley_terry"], 0)
            + _ends(row["bradley_terry_low"], row["bradley_terry_high"])
            + ("" if row["estimable"] else "\n[yellow]not estimable[/]"),
            _points(row["elo"], 0) + _ends(row["elo_low"], row["elo_high"]),
            _points(row["elo_sequential"], 0),
            "–".join(dict.fromkeys((str(row["rank_best"]), str(row["rank_worst"])))),
        )
    return table


def wins_table(ratings: PairwiseRatings) -> Table:
    """Points of the row's team against the column's."""
    table = _table("points of the row's team against the column's")
    names = list(ratings.wins.index)
    _add_team_column(table, names)
    for name in names:
        table.add_column(escape(name), justify="right", overflow="fold")
    wins, games = ratings.wins.to_numpy(), ratings.games.to_numpy()
    for i, name in enumerate(names):
        cells = [
            "·" if i == j else f"{_points(wins[i, j])} of {games[i, j]}" if games[i, j] else "–"
            for j in range(len(names))
        ]
        table.add_row(escape(name), *cells)
    return table


def method(ratings: PairwiseRatings, *, resampled: str) -> str:
    """How the numbers were made, in words."""
    elo, bootstrap, agreement = ratings.elo.rule, ratings.bootstrap, ratings.agreement
    alpha = (
        f"Krippendorff's alpha {agreement.alpha:.3f} from {agreement.units} pairs that several people saw"
        if agreement.alpha is not None
        else f"Agreement is not known: {agreement.reason}"
    )
    return (
        f"Two numbers below a value are its {100 * bootstrap.level:g} % interval over {ratings.clusters} "
        f"{resampled}{over_people(ratings)} (points, Bradley-Terry) or hold "
        f"95 % of {elo.permutations} orders of the votes (Elo, K {elo.k:g}). "
        f"Bradley-Terry by {ratings.bradley_terry.method}. {alpha}."
    )


def over_people(ratings: PairwiseRatings) -> str:
    """Over how many annotators the intervals are, in words; that they are over none is a warning."""
    return f" and {ratings.annotators} annotators" if ratings.annotators > 1 else ""


def print_warnings(warnings: Iterable[str], console: Console, question: str = "") -> None:
    """What a reader must know about ratings."""
    for warning in warnings:
        text = f"{question}: {warning}" if question else warning
        console.print(f"[yellow]{escape(text)}[/]", soft_wrap=True)


def _table(title: str) -> Table:
    return Table(title=escape(title), title_justify="left", title_style="bold")


def _add_team_column(table: Table, teams: Sequence[str]) -> None:
    table.add_column("team", overflow="fold", min_width=min(_NAME_WIDTH, max(map(len, teams), default=4)))


def _score(value: object) -> str:
    found = float(str(value))
    return "[red]missing[/]" if math.isnan(found) else number(found)


def _points(value: float, places: int = 2) -> str:
    return points(None if math.isnan(value) else float(value), places)


def _ends(low: float, high: float) -> str:
    return "" if math.isnan(low) else f"\n[dim]{points(low, 0)}–{points(high, 0)}[/]"
