"""The final rank: finalists by what people judged, the others by phase 1."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from ipvg_eval.leaderboard.challenge import FinalRule
from ipvg_eval.leaderboard.comparisons import team_points
from ipvg_eval.leaderboard.opinions import Scale
from ipvg_eval.leaderboard.phase1 import Phase1
from ipvg_eval.leaderboard.ratings import PairwiseRatings


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What people said about a finalist.

    Attributes:
        value: study points, or the mean opinion score.
        share: the same on [0, 1]: points per comparison, or where the score lies between 1 and 5.
        text: the value in words.
    """

    value: float
    share: float
    text: str


@dataclass(frozen=True, kw_only=True, eq=False)
class FinalRanking:
    """The final ranking of a track.

    Attributes:
        rule: how it was made.
        stage: "final", or "phase 1" while no judgement is in.
        table: one row per ranked team, best first: team, rank (competition rank), phase1_rank, finalist,
            eligible, judgement (points or mean opinion score), judgement_share ([0, 1]), objective (mean
            normalised metric value, [0, 1]), score (weighted sum; NaN for lexicographic), why.
    """

    rule: FinalRule
    stage: Literal["final", "phase 1"]
    table: pd.DataFrame


def study_judgements(ratings: PairwiseRatings, finalists: tuple[str, ...]) -> dict[str, Judgement]:
    """Points of the finalists, from the comparisons between two of them; others do not count."""
    names = [team for team in finalists if team in ratings.wins.index]
    points, most = team_points(ratings.wins.loc[names, names].to_numpy(), ratings.rule.weighting)
    games = ratings.games.loc[names, names].sum(axis=1)
    return {
        team: Judgement(
            value=float(points[place]),
            share=float(points[place] / most[place]),
            text=f"{round(points[place], 2):g} points in {games[team]} comparisons",
        )
        for place, team in enumerate(names)
        if games[team]
    }


def opinion_judgements(
    opinions: Mapping[str, float], finalists: tuple[str, ...], scale: Scale
) -> dict[str, Judgement]:
    """Mean opinion scores of the finalists."""
    return {
        team: Judgement(
            value=opinions[team],
            share=scale.share(opinions[team]),
            text=f"mean opinion score {opinions[team]:.3f}",
        )
        for team in finalists
        if team in opinions and not math.isnan(opinions[team])
    }


def rank_finally(
    phase1: Phase1, judgements: Mapping[str, Judgement], rule: FinalRule | None = None
) -> FinalRanking:
    """Make the final ranking.

    Finalists come first: by judgement ("lexicographic"), or by objective_weight x objective +
    subjective_weight x judgement_share ("weighted_sum"). What is equal is decided by phase 1, and shared
    where that is equal too. A finalist without a judgement is last of the finalists. The rest follows by
    phase 1.

    Args:
        phase1: the objective ranking.
        judgements: of the finalists; without any the final ranking is that of phase 1.
        rule: how the two are combined.
    """
    rule = rule or FinalRule()
    stage: Literal["final", "phase 1"] = "final" if judgements else "phase 1"
    rows = []
    for row in phase1.table.to_dict("records"):
        judged = judgements.get(row["team"]) if row["finalist"] else None
        score = math.nan
        if judged and rule.method == "weighted_sum":
            score = rule.objective_weight * row["objective"] + rule.subjective_weight * judged.share
        rows.append(
            {
                "team": row["team"],
                "phase1_rank": row["rank"],
                "finalist": row["finalist"],
                "eligible": row["eligible"],
                "judgement": judged.value if judged else math.nan,
                "judgement_share": judged.share if judged else math.nan,
                "objective": row["objective"],
                "score": score,
                "why": _why(row["team"], judged, score, rule, stage, finalist=row["finalist"]),
                "_key": _key(row["finalist"], judged, score, row["rank"], stage),
            }
        )
    ranks = [1 + sum(other["_key"] < row["_key"] for other in rows) for row in rows]
    table = pd.DataFrame(rows).drop(columns="_key")
    table.insert(1, "rank", ranks)
    return FinalRanking(rule=rule, stage=stage, table=table.sort_values(["rank", "team"], ignore_index=True))


def _key(
    finalist: bool, judged: Judgement | None, score: float, phase1_rank: int, stage: str
) -> tuple[float, ...]:
    """Sorts ascending: finalists before the rest, judged before unjudged, more before less, phase 1."""
    if stage == "phase 1":
        return (0, 0, 0, phase1_rank)
    if judged is None:
        return (0 if finalist else 1, 1, 0, phase1_rank)
    value = judged.value if math.isnan(score) else score
    return (0, 0, -round(value, 9), phase1_rank)


def _why(
    team: str, judged: Judgement | None, score: float, rule: FinalRule, stage: str, *, finalist: bool
) -> str:
    if stage == "phase 1":
        return "by phase 1; nothing has been judged yet"
    if not finalist:
        return "not a finalist: by phase 1, after the finalists"
    if judged is None:
        return f"finalist, but there is no judgement of {team}: last of the finalists"
    if rule.method == "lexicographic":
        return f"finalist: {judged.text}"
    return f"finalist: weighted sum {score:.4f} ({judged.text})"
