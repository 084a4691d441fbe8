"""The weights of metrics that would agree best with the votes, judged on other identities.

Bradley-Terry with the strength of a video a weighted sum of its metrics (Springall, Response Surface
Fitting Using a Generalization of the Bradley-Terry Paired Comparison Model, 1973): a logistic regression on
differences, with a ridge that cross-validation over identities chooses. Draws are half a win for each side.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from ipvg_eval.core.intervals import BoolArray, FloatArray, IntArray

RIDGES = (1e4, 1e3, 1e2, 3e1, 1e1, 1.0, 1e-1)
"""From the strongest on: each fit starts where the one before ended."""
_FOLDS = 5
_ITERATIONS = 50
_TOLERANCE = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class BestWeights:
    """A fit on all votes, and what such a fit is worth on identities it has not seen.

    Attributes:
        weights: metric -> weight per unit of the metric; 0 for one that does not vary.
        importance: metric -> weight per standard deviation of the metric's differences.
        ridge: chosen for the fit on all votes.
        unseen: (n,) predicted difference of every row, from weights made without its identity.
    """

    weights: dict[str, float]
    importance: dict[str, float]
    ridge: float
    unseen: FloatArray


def best_weights(
    gaps: FloatArray,
    points: FloatArray,
    votes: FloatArray,
    identities: IntArray,
    names: Sequence[str],
    seed: int = 0,
) -> BestWeights:
    """Fit weights to comparisons.

    Args:
        gaps: (n, m) differences of the metrics between the two videos, NaN where one is missing.
        points: (n,) share of the votes that the first video won.
        votes: (n,) how many votes a comparison has.
        identities: (n,) number of the identity, five or more different ones.
        names: of the metrics.
        seed: of the folds.
    """
    known = np.where(np.isnan(gaps), 0.0, gaps)
    spread = np.sqrt((votes[:, None] * known**2).sum(axis=0) / votes.sum())
    design = np.divide(known, spread, out=np.zeros_like(known), where=spread > 0)
    unseen = np.zeros(len(points))
    for fold, (train, test) in enumerate(_folds(identities, seed)):
        ridge = _choose(design[train], points[train], votes[train], identities[train], seed + 1 + fold)
        unseen[test] = design[test] @ _path(design[train], points[train], votes[train], ridge)
    ridge = _choose(design, points, votes, identities, seed)
    fitted = _path(design, points, votes, ridge)
    scaled = np.divide(fitted, spread, out=np.zeros_like(fitted), where=spread > 0)
    return BestWeights(
        weights=dict(zip(names, scaled.tolist(), strict=True)),
        importance=dict(zip(names, fitted.tolist(), strict=True)),
        ridge=ridge,
        unseen=unseen,
    )


def _folds(identities: IntArray, seed: int) -> Iterator[tuple[BoolArray, BoolArray]]:
    people = np.random.default_rng(seed).permutation(np.unique(identities))
    for part in np.array_split(people, min(_FOLDS, len(people))):
        test = np.isin(identities, part)
        yield ~test, test


def _choose(
    design: FloatArray, points: FloatArray, votes: FloatArray, identities: IntArray, seed: int
) -> float:
    """The ridge with the largest likelihood on left-out identities."""
    likelihood = np.zeros(len(RIDGES))
    for train, test in _folds(identities, seed):
        weights = np.zeros(design.shape[1])
        for place, ridge in enumerate(RIDGES):
            weights = _fit(design[train], points[train], votes[train], ridge, weights)
            lean = design[test] @ weights
            chances = points[test] * lean - np.logaddexp(0.0, lean)
            likelihood[place] += (votes[test] * chances).sum()
    return RIDGES[int(likelihood.argmax())]


def _path(design: FloatArray, points: FloatArray, votes: FloatArray, ridge: float) -> FloatArray:
    return _fit(design, points, votes, ridge, np.zeros(design.shape[1]))


def _fit(
    design: FloatArray, points: FloatArray, votes: FloatArray, ridge: float, start: FloatArray
) -> FloatArray:
    weights = start
    for _ in range(_ITERATIONS):
        chance = expit(design @ weights)
        curvature = (design * (votes * chance * (1 - chance))[:, None]).T @ design
        gradient = design.T @ (votes * (points - chance)) - ridge * weights
        step = np.linalg.solve(curvature + ridge * np.eye(len(weights)), gradient)
        longest = np.abs(step).max(initial=0.0)
        weights = weights + step * min(1.0, 3.0 / max(longest, 1e-300))
        if longest < _TOLERANCE:
            break
    return weights
