"""Which two teams should be compared next: where a vote is expected to make the order surest.

Strengths have a normal posterior around the Bradley-Terry fit (Laplace). A look ahead of some votes on one
pair shrinks the variance of every difference; the pair is chosen after which the expected number of pairs of
teams that stand the wrong way round is smallest (one-step look-ahead; Chaloner, Verdinelli, Bayesian
Experimental Design: A Review, 1995, section 2). Many studies at once, as simulations need it.
"""

from __future__ import annotations

import itertools
from typing import Literal

import numpy as np
from scipy.special import expit, ndtr

from ipvg_eval.core.intervals import BoolArray, FloatArray, IntArray
from ipvg_eval.leaderboard.bradley_terry import fit_strengths

Target = Literal["first", "order"]

FIRST_EACH = 10
"""Every pair of teams has so many comparisons before any is preferred."""
LEAST_SHARE = 0.1
"""No pair falls below this share of what it has where all pairs have the same."""
_AHEAD = 10
_PRIOR = 0.5  # wins each way: every pair starts with one drawn comparison, so that a fit always exists
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(21)


def team_pairs(teams: int) -> IntArray:
    """(pairs, 2): numbers of the teams, the smaller first, in the order in which all of this counts them."""
    return np.array(list(itertools.combinations(range(teams), 2)), dtype=np.int64).reshape(-1, 2)


def next_pair(
    wins: FloatArray, counts: FloatArray, target: Target = "order", available: BoolArray | None = None
) -> IntArray:
    """The pair that is worth most, by its number in `team_pairs`.

    Args:
        wins: (n, teams, teams), points of the row's team against the column's.
        counts: (n, pairs) comparisons of each pair, those that are still being answered too.
        target: "order": every two teams count; "first": those count that one of which leads.
        available: (n, pairs) which pairs have comparisons left, one at least; all where None.

    Returns:
        (n,) numbers. The least compared pair, where one has too few (`FIRST_EACH`, `LEAST_SHARE`).
    """
    pairs = team_pairs(wins.shape[-1])
    closed = np.zeros(counts.shape, dtype=np.bool_) if available is None else ~available
    open_counts = np.where(closed, np.inf, counts)
    floor = np.maximum(FIRST_EACH, LEAST_SHARE * counts.mean(axis=1))
    wanting = open_counts.min(axis=1) < floor
    chosen: IntArray = open_counts.argmin(axis=1).astype(np.int64)
    if wanting.all():
        return chosen
    rest = np.flatnonzero(~wanting)
    prior = _PRIOR * (1 - np.eye(wins.shape[-1]))
    strengths = fit_strengths(wins[rest] + prior, ridge=1.0)
    wrong = expected_misorder(strengths, counts[rest] + 2 * _PRIOR, pairs, target)
    chosen[rest] = np.where(closed[rest], np.inf, wrong).argmin(axis=1)
    return chosen


def expected_misorder(
    strengths: FloatArray, counts: FloatArray, pairs: IntArray, target: Target = "order"
) -> FloatArray:
    """(n, pairs): expected number of wrongly ordered pairs of teams after some more votes on each pair.

    Args:
        strengths: (n, teams) fitted.
        counts: (n, pairs) comparisons that they rest on.
        pairs: see `team_pairs`.
        target: see `next_pair`.
    """
    teams = strengths.shape[1]
    contrasts = np.eye(teams)[pairs[:, 0]] - np.eye(teams)[pairs[:, 1]]
    gaps = strengths @ contrasts.T
    worth = expit(gaps) * expit(-gaps)  # information of one comparison
    information = np.einsum("np,pi,pj->nij", counts * worth, contrasts, contrasts)
    covariance = np.linalg.inv(information + np.ones((teams, teams)))  # the mean strength is fixed, not known
    among = contrasts @ covariance @ contrasts.T
    counted = np.ones(gaps.shape, dtype=np.bool_)
    if target == "first":
        counted = (pairs[None, :, :] == strengths.argmax(axis=1)[:, None, None]).any(axis=2)
    # Votes share faces and people, so they say less than their number: no pair is ever taken for sure.
    sure = gaps**2 / np.einsum("npp->np", among)
    among = among * np.maximum(np.where(counted, sure, np.inf).min(axis=1), 1.0)[:, None, None]
    variance = np.einsum("npp->np", among)
    ahead = np.maximum(_AHEAD, 0.1 * counts.sum(axis=1))[:, None] * worth
    learnt = ahead[:, None, :] * among**2 / (1 + ahead * variance)[:, None, :]
    left = np.sqrt(np.maximum(variance[:, :, None] - learnt, 1e-12))
    moved = np.sqrt(learnt)
    wrong = np.zeros_like(learnt)
    for node, weight in zip(_NODES, _WEIGHTS / _WEIGHTS.sum(), strict=True):
        wrong += weight * ndtr(-np.abs(gaps[:, :, None] + moved * node) / left)
    return np.asarray((wrong * counted[:, :, None]).sum(axis=1))
