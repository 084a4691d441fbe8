"""Comparisons: two teams' videos for one sample, with what the votes on them say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipvg_eval.core.resampling import FloatArray, IntArray, Resampling
from ipvg_eval.leaderboard.challenge import Weighting
from ipvg_eval.leaderboard.votes import Votes

_SCORES = {"a": 1.0, "draw": 0.5, "b": 0.0}


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparisons:
    """The comparisons of one question, each worth one point that its two teams share.

    Attributes:
        question: what was asked.
        weighting: "comparison": all votes on one sample and pair share its point; "vote": each has its own.
        teams: by name.
        votes: how many votes there are.
        first: (n,) index of the team whose score is given, the smaller of the two.
        second: (n,) index of the other.
        score: (n,) points of the first team, [0, 1]; the second has the rest.
        identities: (n,) identity of the sample.
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
        if weighting == "comparison":
            rows = rows.groupby(["sample", "first", "second"], sort=False)["score"].mean().reset_index()
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
            outcomes=outcomes,
        )

    def wins(self) -> FloatArray:
        """(teams, teams): points of the row's team against the column's."""
        matrix = np.zeros((len(self.teams), len(self.teams)))
        np.add.at(matrix, (self.first, self.second), self.score)
        np.add.at(matrix, (self.second, self.first), 1 - self.score)
        return matrix

    def resampled_wins(self, resampling: Resampling) -> FloatArray:
        """(resamples, teams, teams): as `wins`, over the drawn identities."""
        teams = len(self.teams)
        columns = resampling.columns(self.identities)
        clusters = np.zeros((len(resampling.identities), teams, teams))
        np.add.at(clusters, (columns, self.first, self.second), self.score)
        np.add.at(clusters, (columns, self.second, self.first), 1 - self.score)
        flat = resampling.draws @ clusters.reshape(len(clusters), -1)
        return flat.reshape(-1, teams, teams)
