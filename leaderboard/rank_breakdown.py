"""The sums behind a place: how one team's place comes about, with its numbers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ipvg_eval.leaderboard.final import FinalRanking
from ipvg_eval.leaderboard.phase1 import Phase1


@dataclass(frozen=True, kw_only=True, eq=False)
class RankBreakdown:
    """The sums of one team.

    Attributes:
        team: whose.
        formula: phase 1 in symbols.
        terms: one row per metric: metric, title, value (NaN where missing), rank, weight, product.
        rank_sum: the sum of the products.
        numbers: phase 1 with the team's numbers, such as "1 x 1 (Face-Cur) + 1 x 3 (FID) = 4".
        tie_break: what decides equal sums, in words.
        final_formula: the final rank in symbols.
        final_numbers: the final rank with the team's numbers.
    """

    team: str
    formula: str
    terms: pd.DataFrame
    rank_sum: float
    numbers: str
    tie_break: str
    final_formula: str
    final_numbers: str


_TIE_BREAKS = {
    "shared": "Teams with equal rank sums share the rank.",
    "first_metric": "Between equal rank sums the rank on {first} decides.",
    "mean_normalised": "Between equal rank sums the weighted mean of the min-max normalised values decides.",
}


def rank_breakdown(phase1: Phase1, final: FinalRanking, team: str) -> RankBreakdown:
    """Work out one ranked team's sums.

    Raises:
        KeyError: the team is not ranked.
    """
    weights = np.array([metric.weight for metric in phase1.metrics])
    ranks = phase1.ranks.loc[team].to_numpy(dtype=np.float64)
    terms = pd.DataFrame(
        {
            "metric": [metric.name for metric in phase1.metrics],
            "title": [metric.title for metric in phase1.metrics],
            "value": phase1.values.loc[team].to_numpy(dtype=np.float64),
            "rank": ranks,
            "weight": weights,
            "product": weights * ranks,
        }
    )
    rank_sum = float(terms["product"].sum())
    products = [f"{row.weight:g} × {row.rank:g} ({row.title})" for row in terms.itertuples()]
    rows = final.table.set_index("team").to_dict("index")
    return RankBreakdown(
        team=team,
        formula="rank sum = Σ weight × rank, over the metrics; the smallest sum is first",
        terms=terms,
        rank_sum=rank_sum,
        numbers=" + ".join(products) + f" = {rank_sum:g}",
        tie_break=_TIE_BREAKS[phase1.tie_rule].format(first=phase1.metrics[0].title),
        final_formula=_final_formula(final),
        final_numbers=_final_numbers(final, rows[team]),
    )


def _final_formula(final: FinalRanking) -> str:
    if final.stage == "phase 1":
        return "final rank = rank of phase 1, until people have judged"
    judged = "study points" if final.rule.subjective == "study" else "mean opinion score"
    if final.rule.method == "lexicographic":
        return f"finalists by {judged}, equal ones by phase 1; then the rest by phase 1"
    share = (
        "points per comparison"
        if final.rule.subjective == "study"
        else "(mean opinion score - lowest) / (highest - lowest)"
    )
    return (
        f"score = {final.rule.objective_weight:g} × objective "
        f"+ {final.rule.subjective_weight:g} × judgement; "
        f"objective = weighted mean of the min-max normalised metrics, judgement = {share}; "
        "the rest follows by phase 1"
    )


def _final_numbers(final: FinalRanking, row: Mapping[Hashable, Any]) -> str:
    if np.isnan(row["score"]):
        return f"rank {row['rank']}: {row['why']}"
    rule = final.rule
    return (
        f"{rule.objective_weight:g} × {row['objective']:.4f} + "
        f"{rule.subjective_weight:g} × {row['judgement_share']:.4f} = {row['score']:.4f}: rank {row['rank']}"
    )
