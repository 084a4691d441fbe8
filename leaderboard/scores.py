"""Objective scores: one mean per team and metric, with an interval over identities."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipvg_eval.core.intervals import Means
from ipvg_eval.core.resampling import FloatArray, IntArray, Resampling
from ipvg_eval.leaderboard.errors import ChallengeError
from ipvg_eval.leaderboard.metric import Metric
from ipvg_eval.leaderboard.runs import ScoredRun


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """Every team's score on every metric of a track.

    Attributes:
        metrics: ranking metrics first, in the challenge's order, then the ones that are only shown.
        teams: by name, baselines among them.
        table: one row per team and metric: team, metric, mean, low, high (interval of the mean), std (n - 1),
            min, median, max, count (samples with a value), samples, identities (with a value), missing_reason
            (why the score does not count, empty where it does).
        values: metric -> one row per sample, one column per team; NaN where missing. Metrics without a value
            per sample are absent.
        resampled: metric -> (resamples, teams) means under the draws; NaN where there are too few identities.
        identities: identity of every sample, in the order of the rows of `values`.
        resampling: the draws.
        coverage: smallest share of samples with a value for a score to count.
    """

    metrics: tuple[Metric, ...]
    teams: tuple[str, ...]
    table: pd.DataFrame
    values: Mapping[str, pd.DataFrame]
    resampled: Mapping[str, FloatArray]
    identities: tuple[str, ...]
    resampling: Resampling
    coverage: float

    @property
    def ranked(self) -> tuple[Metric, ...]:
        """The metrics that enter phase 1."""
        return tuple(metric for metric in self.metrics if metric.weight > 0)

    def matrix(self, *, counting: bool) -> pd.DataFrame:
        """Means by team (rows) and metric (columns); NaN where missing.

        Args:
            counting: whether scores below the coverage are missing too.
        """
        table = self.table
        if counting:
            table = table.assign(mean=table["mean"].where(table["missing_reason"] == ""))
        wide = table.pivot_table(index="team", columns="metric", values="mean", dropna=False, aggfunc="first")
        return wide.reindex(index=list(self.teams), columns=[metric.name for metric in self.metrics])


def score_teams(
    runs: Sequence[ScoredRun], metrics: Sequence[Metric], resampling: Resampling, *, coverage: float
) -> Scores:
    """Aggregate the counting runs of a track.

    Args:
        runs: one per team, with the same samples.
        metrics: see `choose_metrics`.
        resampling: draws of the test set's identities.
        coverage: smallest share of samples with a value for a score to count, [0, 1].
    """
    runs = sorted(runs, key=lambda run: run.team)
    order = list(runs[0].samples["sample"])
    identities = list(runs[0].samples["identity"])
    columns = resampling.columns(identities)
    aligned = {run.team: run.samples.set_index("sample").reindex(order) for run in runs}
    rows: list[dict[str, object]] = []
    values: dict[str, pd.DataFrame] = {}
    resampled: dict[str, FloatArray] = {}
    for metric in metrics:
        if metric.name in runs[0].samples:
            frame = pd.DataFrame({team: _counted(samples, metric) for team, samples in aligned.items()})
            means = Means.of(frame.to_numpy(), columns, len(resampling.identities))
            low, high = means.spread().interval(means.values, resampling.rule.level, metric.bounds)
            values[metric.name], resampled[metric.name] = frame, resampling.means(means)
            for place, team in enumerate(frame):
                statistics = column_statistics(frame[team].to_numpy(), columns)
                ends = {"low": float(low[place]), "high": float(high[place])}
                rows.append({"team": team, "metric": metric.name, **statistics, **ends})
        else:
            rows += [_corpus_row(run, metric.name) for run in runs]
    for row in rows:
        row["missing_reason"] = _missing_reason(row, coverage)
    teams = tuple(aligned)
    table = pd.DataFrame(rows)
    return Scores(
        metrics=tuple(metrics),
        teams=teams,
        table=table,
        values=values,
        resampled=resampled,
        identities=tuple(identities),
        resampling=resampling,
        coverage=coverage,
    )


def _counted(samples: pd.DataFrame, metric: Metric) -> pd.Series[float]:
    """A metric's values, less those of samples that fall short of what it requires.

    Raises:
        ChallengeError: it requires a metric that has no value per sample.
    """
    values: pd.Series[float] = samples[metric.name]
    for name, least in metric.requires.items():
        if name not in samples:
            raise ChallengeError(
                f"metric {metric.name!r} requires {name!r}, which has no value per sample",
                hint="Require a metric that every video has a value of, such as face_coverage.",
            )
        values = values.where(samples[name] >= least)
    return values


def column_statistics(column: FloatArray, identities: IntArray) -> dict[str, float]:
    """Statistics of one column; low and high are NaN, for the caller to fill.

    Args:
        column: (n,), NaN where missing.
        identities: (n,), the identity of each value.
    """
    present = ~np.isnan(column)
    values = column[present]
    n = len(values)
    # Exact sums: the same mean as the run's own summary, whatever the order of the rows.
    mean = math.fsum(values) / n if n else math.nan
    return {
        "mean": mean,
        "low": math.nan,
        "high": math.nan,
        "std": math.sqrt(math.fsum((values - mean) ** 2) / (n - 1)) if n > 1 else math.nan,
        "min": float(values.min()) if n else math.nan,
        "median": float(np.median(values)) if n else math.nan,
        "max": float(values.max()) if n else math.nan,
        "count": n,
        "samples": len(column),
        "identities": len(np.unique(identities[present])),
    }


def _corpus_row(run: ScoredRun, metric: str) -> dict[str, object]:
    """A metric of the whole submission has a value but nothing to draw from, hence no interval."""
    told = run.means.get(metric)
    mean = math.nan if told is None or told.value is None else told.value
    empty = dict.fromkeys(("low", "high", "std", "min", "median", "max"), math.nan)
    count = told.count if told else 0
    facts = {"count": count, "samples": len(run.samples), "identities": 0}
    return {"team": run.team, "metric": metric, "mean": mean, **empty, **facts}


def _missing_reason(row: Mapping[str, object], coverage: float) -> str:
    count, samples = row["count"], row["samples"]
    if math.isnan(float(str(row["mean"]))):
        return f"no value for any of {samples} samples"
    if int(str(count)) < coverage * int(str(samples)):
        return f"a value for {count} of {samples} samples, {coverage:.0%} needed"
    return ""
