"""What the votes on one question say, as the templates read it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ipvg_eval.core.jsonable import jsonable
from ipvg_eval.leaderboard.ratings import PairwiseRatings
from ipvg_eval.leaderboard.site.scale import Scale, rank_scale, value_scale

_TINTS = 5


@dataclass(frozen=True)
class Judged:
    """The ratings of one question; records have None where a number is missing."""

    ratings: PairwiseRatings

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """One row per team, most points first."""
        ranks = list(self.ratings.table["rank"])
        return [{**row, "tied": ranks.count(row["rank"]) > 1} for row in jsonable(self.ratings.table)]

    @cached_property
    def matrix(self) -> list[tuple[str, list[dict[str, Any] | None]]]:
        """Per team: its points against every other, None on the diagonal."""
        wins, games = self.ratings.wins.to_numpy(), self.ratings.games.to_numpy()
        teams = list(self.ratings.wins.index)
        return [
            (team, [None if i == j else _cell(wins[i, j], int(games[i, j])) for j in range(len(teams))])
            for i, team in enumerate(teams)
        ]

    @cached_property
    def scale(self) -> Scale:
        """The axis that Bradley-Terry and Elo ratings share."""
        keys = ("bradley_terry", "bradley_terry_low", "bradley_terry_high", "elo", "elo_low", "elo_high")
        return value_scale((row[key] for row in self.rows for key in keys), ticks=5)

    @property
    def rank_scale(self) -> Scale:
        """The axis of ranks."""
        return rank_scale(len(self.rows))

    def against(self, team: str) -> list[tuple[str, dict[str, Any]]]:
        """One team's points against every other; nothing for a team nobody voted on."""
        teams = list(self.ratings.wins.index)
        cells = dict(self.matrix).get(team, [])
        return [(other, cell) for other, cell in zip(teams, cells, strict=False) if cell is not None]

    def row(self, team: str) -> dict[str, Any] | None:
        """One team's row; None for a team nobody voted on."""
        return next((row for row in self.rows if row["team"] == team), None)


def _cell(points: float, games: int) -> dict[str, Any]:
    share = float(points) / games if games else None
    tint = None if share is None else min(_TINTS - 1, int(share * _TINTS))
    return {"points": float(points), "games": games, "share": share, "tint": tint}
