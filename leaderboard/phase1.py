"""Phase 1: teams ranked by the sum of their ranks over the metrics; the first N go on."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipvg_eval.core.resampling import FloatArray, percentile_interval
from ipvg_eval.leaderboard.challenge import Ranking, TieRule
from ipvg_eval.leaderboard.metric import Metric
from ipvg_eval.leaderboard.ranks import mean_normalised, metric_ranks, order, rank_sums, tie_break
from ipvg_eval.leaderboard.scores import Scores


@dataclass(frozen=True, kw_only=True, eq=False)
class Phase1:
    """The ranking by objective metrics.

    Attributes:
        metrics: what it ranks by.
        ranking: how equal values are ranked within a metric.
        tie_rule: what decides between equal rank sums.
        finalists: how many teams go on.
        table: one row per ranked team, best first: team, rank (competition rank), rank_sum, tie_break (what
            decided a tie: rank on the first metric or mean normalised value, NaN where ties are shared),
            objective (mean normalised value, [0, 1]), rank_best and rank_worst (range of the rank over
            draws of the identities, NaN where there are too few), first_share (share of the resamples in
            which the team is first), eligible, finalist and why.
        ranks: rank by team (rows, in the table's order) and metric.
        values: the scores that were ranked, as `ranks`; NaN where missing.
        missing: (team, metric) -> why the score is missing.
    """

    metrics: tuple[Metric, ...]
    ranking: Ranking
    tie_rule: TieRule
    finalists: int
    table: pd.DataFrame
    ranks: pd.DataFrame
    values: pd.DataFrame
    missing: Mapping[tuple[str, str], str]

    @property
    def goes_on(self) -> tuple[str, ...]:
        """The teams that go on, best first."""
        return tuple(self.table.loc[self.table["finalist"], "team"])


def rank_teams(
    values: pd.DataFrame,
    metrics: tuple[Metric, ...],
    *,
    ranking: Ranking = "competition",
    tie_rule: TieRule = "shared",
    finalists: int = 3,
    missing: Mapping[tuple[str, str], str] | None = None,
    resampled: FloatArray | None = None,
    level: float = 0.95,
) -> Phase1:
    """Rank teams by the weighted sum of their ranks.

    A missing score ranks last on its metric and, unless the metric is optional, makes the team ineligible for
    the finals. Teams that share the last place that goes on all go on.

    Args:
        values: scores by team (rows) and metric (columns); NaN where missing.
        metrics: the columns to rank by, each with a direction and a weight.
        ranking: how equal values are ranked within a metric.
        tie_rule: what decides between equal rank sums.
        finalists: how many teams go on.
        missing: (team, metric) -> why a score is missing.
        resampled: (resamples, metrics, teams) scores for the intervals of the ranks; none where left out.
        level: share of the resamples inside an interval.
    """
    values = values[[metric.name for metric in metrics]]
    scores = values.to_numpy(dtype=np.float64).T
    ranks, sums, breaks, places = _ranked(scores, metrics, ranking, tie_rule)
    reasons = dict(missing or {})
    for team, name in zip(*np.nonzero(values.isna().to_numpy()), strict=True):
        reasons.setdefault((str(values.index[team]), str(values.columns[name])), "no score")
    teams = [str(team) for team in values.index]
    needed = [place for place, metric in enumerate(metrics) if not metric.optional]
    eligible = ~np.isnan(scores[needed]).any(axis=0)
    table = pd.DataFrame(
        {
            "team": teams,
            "rank": places.astype(int),
            "rank_sum": sums,
            "tie_break": np.abs(breaks) if tie_rule != "shared" else np.nan,
            "objective": mean_normalised(scores, metrics),
            **_rank_intervals(resampled, metrics, ranking, tie_rule, level, len(teams)),
            "eligible": eligible,
        }
    )
    table = table.sort_values(["rank", "team"], ignore_index=True)
    table["finalist"] = _finalists(table, finalists)
    table["why"] = [_why(row, table, finalists, metrics, reasons) for row in table.to_dict("records")]
    names = list(table["team"])
    frame = pd.DataFrame(ranks.T, index=values.index, columns=values.columns)
    return Phase1(
        metrics=metrics,
        ranking=ranking,
        tie_rule=tie_rule,
        finalists=finalists,
        table=table,
        ranks=frame.loc[names],
        values=values.loc[names],
        missing=reasons,
    )


def rank_scores(
    scores: Scores, *, ranking: Ranking, tie_rule: TieRule, finalists: int, baselines: tuple[str, ...] = ()
) -> Phase1:
    """Phase 1 of a track's scores, with intervals; baselines are left out."""
    teams = [team for team in scores.teams if team not in baselines]
    values = scores.matrix(counting=True).loc[teams]
    rows = scores.table[scores.table["missing_reason"] != ""]
    missing = {(row["team"], row["metric"]): row["missing_reason"] for row in rows.to_dict("records")}
    return rank_teams(
        values,
        scores.ranked,
        ranking=ranking,
        tie_rule=tie_rule,
        finalists=finalists,
        missing=missing,
        resampled=_resampled(scores, values),
        level=scores.resampling.rule.level,
    )


def places_drawn(scores: Scores, phase1: Phase1, factor: float) -> FloatArray:
    """(resamples, teams) places under the draws of the identities, in the table's order.

    Args:
        scores: that were ranked.
        phase1: the ranking.
        factor: how many times as many identities there were, for draws that lie closer to the scores.
    """
    points = phase1.values.to_numpy(dtype=np.float64).T
    drawn = points + (_resampled(scores, phase1.values) - points) / np.sqrt(factor)
    return _ranked(drawn, phase1.metrics, phase1.ranking, phase1.tie_rule)[3]


def _resampled(scores: Scores, values: pd.DataFrame) -> FloatArray:
    places = [scores.teams.index(team) for team in values.index]
    resamples = len(scores.resampling.draws)
    layers = []
    for metric in scores.ranked:
        points = values[metric.name].to_numpy(dtype=np.float64)
        # Without values per sample there is nothing to draw: the score stays as it is.
        layer = scores.resampled.get(metric.name)
        drawn = np.tile(points, (resamples, 1)) if layer is None else layer[:, places]
        layers.append(np.where(np.isnan(points), np.nan, drawn))
    return np.stack(layers, axis=1)


def _ranked(
    scores: FloatArray, metrics: tuple[Metric, ...], ranking: Ranking, tie_rule: TieRule
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Ranks (..., metrics, teams), their sums, tie breaks and places (..., teams)."""
    ranks = np.stack(
        [
            metric_ranks(
                scores[..., place, :], higher_is_better=metric.higher_is_better is True, ranking=ranking
            )
            for place, metric in enumerate(metrics)
        ],
        axis=-2,
    )
    sums = rank_sums(ranks, np.array([metric.weight for metric in metrics]))
    breaks = tie_break(ranks, scores, metrics, tie_rule)
    return ranks, sums, breaks, order(sums, breaks)


def _rank_intervals(
    resampled: FloatArray | None,
    metrics: tuple[Metric, ...],
    ranking: Ranking,
    tie_rule: TieRule,
    level: float,
    teams: int,
) -> dict[str, FloatArray]:
    if resampled is None or np.isnan(resampled).all(axis=(0, 2)).any():
        return dict.fromkeys(("rank_best", "rank_worst", "first_share"), np.full(teams, np.nan))
    places = _ranked(resampled, metrics, ranking, tie_rule)[3]
    low, high = percentile_interval(places, level)
    return {
        "rank_best": np.floor(low),
        "rank_worst": np.ceil(high),
        "first_share": np.asarray((places == 1).mean(axis=0)),
    }


def _finalists(table: pd.DataFrame, finalists: int) -> list[bool]:
    ahead = [(table["eligible"] & (table["rank"] < rank)).sum() for rank in table["rank"]]
    return [bool(ok and before < finalists) for ok, before in zip(table["eligible"], ahead, strict=True)]


def _why(
    row: Mapping[Hashable, object],
    table: pd.DataFrame,
    finalists: int,
    metrics: tuple[Metric, ...],
    reasons: Mapping[tuple[str, str], str],
) -> str:
    titles = {metric.name: metric.title for metric in metrics}
    gaps = [
        f"{titles[metric]}: {reason}"
        for (team, metric), reason in reasons.items()
        if team == row["team"] and metric in titles
    ]
    if not row["eligible"]:
        return "not eligible, ranks last where a score is missing (" + "; ".join(gaps) + ")"
    shared = int(((table["rank"] == row["rank"]) & table["eligible"]).sum()) > 1
    place = f"{'shared ' if shared else ''}rank {row['rank']} by rank sum {row['rank_sum']:g}"
    if gaps:
        place += f", last where an optional score is missing ({'; '.join(gaps)})"
    if not row["finalist"]:
        return f"{place}; {finalists} go on"
    extra = shared and int((table["eligible"] & (table["rank"] <= row["rank"])).sum()) > finalists
    return f"{place}; goes on" + (", as everyone who shares the last place" if extra else "")
