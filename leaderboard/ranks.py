"""Ranks: within a metric, and over all metrics together."""

from __future__ import annotations

import numpy as np

from ipvg_eval.core.resampling import FloatArray
from ipvg_eval.leaderboard.challenge import Ranking, TieRule
from ipvg_eval.leaderboard.metric import Metric

_DECIMALS = 9  # weighted sums of ranks that differ by rounding alone are ties


def metric_ranks(values: FloatArray, *, higher_is_better: bool, ranking: Ranking) -> FloatArray:
    """Ranks of teams within one metric, 1 is best.

    Args:
        values: (..., teams); NaN where a score is missing, which ranks behind every value.
        higher_is_better: direction.
        ranking: how equal values are ranked; missing scores are equal to one another.
    """
    keys = np.where(np.isnan(values), np.inf, -values if higher_is_better else values)
    competition = order(keys)
    if ranking == "competition":
        return competition
    equal = (keys[..., None, :] == keys[..., :, None]).sum(axis=-1)
    return np.asarray(competition + (equal - 1) / 2)


def normalised(values: FloatArray, *, higher_is_better: bool) -> FloatArray:
    """Min-max normalised values over the teams: 1 for the best, 0 for the worst and for missing ones.

    All teams have 1 where no two values differ.

    Args:
        values: (..., teams); NaN where missing.
        higher_is_better: direction.
    """
    signed = values if higher_is_better else -values
    missing = np.isnan(signed)
    low = np.where(missing, np.inf, signed).min(axis=-1, keepdims=True)
    high = np.where(missing, -np.inf, signed).max(axis=-1, keepdims=True)
    span = high - low
    with np.errstate(invalid="ignore"):
        shares = np.where(span > 0, (signed - low) / np.where(span > 0, span, 1.0), 1.0)
    return np.asarray(np.where(missing, 0.0, shares))


def rank_sums(ranks: FloatArray, weights: FloatArray) -> FloatArray:
    """Weighted sums of (..., metrics, teams) ranks over the metrics."""
    return np.asarray(np.round(np.einsum("...mt,m->...t", ranks, weights), _DECIMALS))


def mean_normalised(values: FloatArray, metrics: tuple[Metric, ...]) -> FloatArray:
    """Weighted mean of the normalised values, [0, 1], higher is better.

    Args:
        values: (..., metrics, teams).
        metrics: in the order of `values`, each with a direction and a weight.
    """
    weights = np.array([metric.weight for metric in metrics])
    shares = np.stack(
        [
            normalised(values[..., place, :], higher_is_better=metric.higher_is_better is True)
            for place, metric in enumerate(metrics)
        ],
        axis=-2,
    )
    return np.asarray(np.einsum("...mt,m->...t", shares, weights / weights.sum()))


def tie_break(
    ranks: FloatArray, values: FloatArray, metrics: tuple[Metric, ...], rule: TieRule
) -> FloatArray:
    """What decides between equal rank sums, lower is better; all 0 where ties are shared.

    Args:
        ranks: (..., metrics, teams).
        values: as ranks; NaN where missing.
        metrics: in the order of both.
        rule: see `Challenge.tie_rule`.
    """
    if rule == "first_metric":
        return np.asarray(ranks[..., 0, :])
    if rule == "mean_normalised":
        return np.round(-mean_normalised(values, metrics), 12)
    return np.zeros(ranks.shape[:-2] + ranks.shape[-1:])


def order(first: FloatArray, second: FloatArray | None = None) -> FloatArray:
    """Competition ranks by one key and, where it is equal, by another; lower keys are better.

    Args:
        first: (..., teams).
        second: as first.

    Returns:
        (..., teams): 1 + the number of teams that are strictly better.
    """
    better = first[..., None, :] < first[..., :, None]
    if second is not None:
        equal = first[..., None, :] == first[..., :, None]
        better |= equal & (second[..., None, :] < second[..., :, None])
    return np.asarray(1.0 + better.sum(axis=-1))
