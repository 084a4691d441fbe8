"""Comparisons: two teams' videos for one sample, with what the votes on them say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from ipvg_eval.core.intervals import BoolArray, FloatArray, IntArray
from ipvg_eval.leaderboard.challenge import Weighting
from ipvg_eval.leaderboard.votes import Votes

_SINGULAR = 1e-10
_SCORES = {"a": 1.0, "draw": 0.5, "b": 0.0}


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparisons:
    """The comparisons of one question, each worth one point that its two teams share.

    Attributes:
        question: what was asked.
        weighting: "comparison": all votes on one sample and pair share its point; "vote": each has its own;
            "pair": as "comparison", and see `team_points`.
        teams: by name.
        votes: how many votes there are.
        first: (n,) index of the team whose score is given, the smaller of the two.
        second: (n,) index of the other.
        score: (n,) points of the first team, [0, 1]; the second has the rest.
        identities: (n,) identity of the sample.
        judged: (votes,) which comparison a vote is on.
        answers: (votes,) points it gives the first team of it: 1, 0.5 or 0.
        parts: (votes,) its share of the comparison's point.
        annotators: (votes,) number of who gave it; None where nobody is named.
        outcomes: (teams, 3) won, drawn and lost votes of each team.
    """

    question: str
    weighting: Weighting
    teams: tuple[str, ...]
    votes: int
    first: IntArray
    second: IntArray
    score: FloatArray
    identities: tuple[str, ...]
    judged: IntArray
    answers: FloatArray
    parts: FloatArray
    annotators: IntArray | None
    outcomes: IntArray

    def __len__(self) -> int:
        return len(self.score)

    @classmethod
    def of(
        cls,
        votes: Votes,
        *,
        question: str | None = None,
        weighting: Weighting = "comparison",
        identities: Mapping[str, str] | None = None,
        teams: Sequence[str] = (),
    ) -> Comparisons:
        """Gather the votes of one question into comparisons, in the order of their first votes.

        Args:
            votes: checked votes.
            question: which; all votes where None.
            weighting: see the attributes.
            identities: sample -> identity; every sample is its own cluster where None.
            teams: teams to list even if nobody voted on them.
        """
        table = votes.table if question is None else votes.table[votes.table["question"] == question]
        names = tuple(sorted({*teams, *table["team_a"], *table["team_b"]}))
        place = {name: index for index, name in enumerate(names)}
        a = table["team_a"].map(place).to_numpy(dtype=np.int64)
        b = table["team_b"].map(place).to_numpy(dtype=np.int64)
        score = table["winner"].map(_SCORES).to_numpy(dtype=np.float64)
        rows = pd.DataFrame(
            {
                "sample": table["sample"].to_numpy(),
                "first": np.minimum(a, b),
                "second": np.maximum(a, b),
                "score": np.where(a < b, score, 1 - score),
            }
        )
        outcomes = np.zeros((len(names), 3), dtype=np.int64)
        for team, points in ((rows["first"], rows["score"]), (rows["second"], 1 - rows["score"])):
            np.add.at(outcomes, (team.to_numpy(), (2 - 2 * points.to_numpy()).astype(np.int64)), 1)
        answers = rows["score"].to_numpy(dtype=np.float64)
        judged = np.arange(len(rows), dtype=np.int64)
        if weighting != "vote":
            grouped = rows.groupby(["sample", "first", "second"], sort=False)["score"]
            judged = grouped.ngroup().to_numpy().astype(np.int64)
            rows = grouped.mean().reset_index()
        people = table["annotator"].to_numpy(dtype=str)
        samples = [str(sample) for sample in rows["sample"]]
        return cls(
            question=question or "all",
            weighting=weighting,
            teams=names,
            votes=len(table),
            first=rows["first"].to_numpy(dtype=np.int64),
            second=rows["second"].to_numpy(dtype=np.int64),
            score=rows["score"].to_numpy(dtype=np.float64),
            identities=tuple(samples if identities is None else [identities[name] for name in samples]),
            judged=judged.astype(np.int64),
            answers=answers,
            parts=1 / np.bincount(judged)[judged],
            annotators=np.unique(people, return_inverse=True)[1].astype(np.int64)
            if (people != "").any()
            else None,
            outcomes=outcomes,
        )

    def wins(self) -> FloatArray:
        """(teams, teams): points of the row's team against the column's."""
        matrix = np.zeros((len(self.teams), len(self.teams)))
        np.add.at(matrix, (self.first, self.second), self.score)
        np.add.at(matrix, (self.second, self.first), 1 - self.score)
        return matrix

    def clusters(self) -> IntArray:
        """(votes,) number of the identity."""
        return np.unique(self.identities, return_inverse=True)[1].astype(np.int64)[self.judged]

    def present(self) -> BoolArray:
        """(votes, teams): whose videos a vote is on."""
        numbers = np.arange(len(self.teams))
        sides = (self.first[self.judged], self.second[self.judged])
        return np.asarray((sides[0][:, None] == numbers) | (sides[1][:, None] == numbers))

    def share_influences(self, shares: FloatArray) -> tuple[FloatArray, BoolArray]:
        """(votes, teams): what every vote adds to the teams' points per comparison, and whose."""
        rows = np.arange(len(self.judged))
        wins = self.wins()
        met = wins + wins.T
        _, games = team_points(wins, self.weighting)
        scales = _scales(met, self.weighting)
        won = np.divide(wins, met, out=np.zeros_like(wins), where=met > 0)
        influences = np.zeros((len(rows), len(self.teams)))
        for one, other, points in (
            (self.first, self.second, self.answers),
            (self.second, self.first, 1 - self.answers),
        ):
            own, against = one[self.judged], other[self.judged]
            expected = won[own, against] if self.weighting == "pair" else shares[own]
            worth = self.parts * scales[own, against] / games[own]
            influences[rows, own] = worth * (points - expected)
        return influences, self.present()

    def strength_influences(self, strengths: FloatArray, ridge: float) -> FloatArray:
        """(votes, teams): what every vote adds to the Bradley-Terry strengths, to first order.

        Args:
            strengths: (teams,) the fit; NaN for a team without a comparison.
            ridge: precision of the prior that was used; 0 without one.
        """
        known = np.nan_to_num(strengths)
        chance = expit(known[self.first] - known[self.second])
        information = np.zeros((len(self.teams), len(self.teams)))
        for one, other in ((self.first, self.second), (self.second, self.first)):
            np.add.at(information, (one, one), chance * (1 - chance))
            np.add.at(information, (one, other), -chance * (1 - chance))
        # The level of all strengths is open: its curvature is 0 but for rounding, which must not be inverted.
        inverse = np.linalg.pinv(
            information + ridge * np.eye(len(self.teams)), rcond=_SINGULAR, hermitian=True
        )
        surprise = self.parts * (self.answers - chance[self.judged])
        steps = inverse[self.first] - inverse[self.second]
        return np.asarray(surprise[:, None] * steps[self.judged])


def team_points(wins: FloatArray, weighting: Weighting) -> tuple[FloatArray, FloatArray]:
    """(teams,) points of every team, and out of how many.

    Where teams met each other unequally often, points depend on who met whom. Under "pair" every two teams
    that met share as many points as every other two, all of them together as many as there are comparisons.

    Args:
        wins: (teams, teams), points of the row's team against the column's.
        weighting: see `Comparisons`.
    """
    scales = _scales(wins + wins.T, weighting)
    games = ((wins + wins.T) * scales).sum(axis=1)
    return (wins * scales).sum(axis=1), games if weighting == "pair" else np.round(games)


def _scales(games: FloatArray, weighting: Weighting) -> FloatArray:
    if weighting != "pair":
        return np.ones_like(games)
    met = games > 0
    each = games.sum() / max(met.sum(), 1)
    return np.asarray(np.divide(each, games, out=np.zeros_like(games), where=met))
