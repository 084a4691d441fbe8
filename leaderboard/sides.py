"""Does the side on which a video stands move the votes?

A vote's first side has a strength of its own in the Bradley-Terry model, with a draw as half a win:
logit P(first wins) = s_first - s_second + side. It can be told from the teams' strengths only where teams
stand on both sides.
Source: Davidson, Beaver, On Extending the Bradley-Terry Model to Incorporate Within-Pair Order Effects
(Biometrics 33, 1977), without its term for ties.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from ipvg_eval.core.intervals import LEVEL, Crossed, FloatArray, IntArray
from ipvg_eval.leaderboard.votes import Votes

_MIXED = 0.2
"""Smallest share of a pair's votes in which either team must stand first for sides to count as mixed."""
_FEWEST_VOTES = 10
_PRIOR = 1e-3  # keeps a sweep finite; as precision it weighs a thousandth of a vote
_ITERATIONS = 100


@dataclass(frozen=True, kw_only=True)
class SideEffect:
    """The pull of the first side.

    Attributes:
        share: chance that the first of two equal videos wins, a draw as half; None where it cannot be told.
        low: lower end of its interval.
        high: upper end.
        first: share of the points that the first side took.
        one_sided: pairs of teams of which one stood first nearly always: (that team, the other, share,
            votes).
        warnings: what a reader must know.
    """

    share: float | None
    low: float | None
    high: float | None
    first: float
    one_sided: tuple[tuple[str, str, float, int], ...]
    warnings: tuple[str, ...]


def side_effect(
    votes: Votes,
    *,
    question: str | None = None,
    identities: Mapping[str, str] | None = None,
    level: float = LEVEL,
) -> SideEffect:
    """Estimate the pull of the side that is listed first.

    Args:
        votes: checked votes; team_a stood on the first side.
        question: which; all votes where None.
        identities: sample -> identity; every sample is its own cluster where None.
        level: of the interval.
    """
    table = votes.table if question is None else votes.table[votes.table["question"] == question]
    points: FloatArray = np.asarray(table["winner"].map({"a": 1.0, "draw": 0.5, "b": 0.0}), dtype=np.float64)
    names, teams = np.unique(table[["team_a", "team_b"]].to_numpy(dtype=str), return_inverse=True)
    teams = teams.reshape(-1, 2)
    one_sided = _one_sided(table)
    first = float(points.mean())
    if len({pair[:2] for pair in one_sided}) == len(_pairs(table)) or len(table) < _FEWEST_VOTES:
        return SideEffect(
            share=None, low=None, high=None, first=first, one_sided=one_sided, warnings=_warn(one_sided, None)
        )
    # Votes on the same two teams on the same sides are one line of the regression.
    shown, line = np.unique(teams, axis=0, return_inverse=True)
    line = line.reshape(-1)
    design = np.zeros((len(shown), len(names) + 1))
    rows = np.arange(len(shown))
    design[rows, shown[:, 0]], design[rows, shown[:, 1]], design[:, -1] = 1.0, -1.0, 1.0
    won = np.asarray(np.bincount(line, points), dtype=np.float64)
    coefficients, inverse = _fit(design, won, np.bincount(line).astype(np.float64))
    surprise = points - expit(design @ coefficients)[line]
    influences = surprise[:, None] * (design @ inverse[:, -1:])[line]
    clusters = table["sample"].map(dict(identities)) if identities else table["sample"]
    people = table["annotator"]
    crossed = Crossed.of(influences, _numbers(clusters), _numbers(people) if (people != "").any() else None)
    low, high = crossed.spread().interval(coefficients[-1:], level)
    share = float(expit(coefficients[-1]))
    ends = None if np.isnan(low[0]) else (float(expit(low[0])), float(expit(high[0])))
    return SideEffect(
        share=share,
        low=ends[0] if ends else None,
        high=ends[1] if ends else None,
        first=first,
        one_sided=one_sided,
        warnings=_warn(one_sided, (share, *ends) if ends else None),
    )


def _pairs(table: pd.DataFrame) -> set[tuple[str, str]]:
    shown = table[["team_a", "team_b"]].drop_duplicates()
    return {(min(a, b), max(a, b)) for a, b in zip(shown["team_a"], shown["team_b"], strict=True)}


def _one_sided(table: pd.DataFrame) -> tuple[tuple[str, str, float, int], ...]:
    counts = table.groupby(["team_a", "team_b"]).size().to_dict()
    found = []
    for one, other in sorted(_pairs(table)):
        ahead, behind = counts.get((one, other), 0), counts.get((other, one), 0)
        total = ahead + behind
        if total >= _FEWEST_VOTES and min(ahead, behind) < _MIXED * total:
            pair = (one, other) if ahead > behind else (other, one)
            found.append((*pair, max(ahead, behind) / total, total))
    return tuple(found)


def _fit(design: FloatArray, points: FloatArray, votes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Coefficients of a logistic regression with a faint prior, and the inverse of its information."""
    coefficients = np.zeros(design.shape[1])
    for _ in range(_ITERATIONS):
        chance = expit(design @ coefficients)
        information = (design * (votes * chance * (1 - chance))[:, None]).T @ design
        information += _PRIOR * np.eye(len(coefficients))
        step = np.linalg.solve(information, design.T @ (points - votes * chance) - _PRIOR * coefficients)
        coefficients = coefficients + np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-9:
            break
    return coefficients, np.linalg.inv(information)


def _numbers(names: pd.Series[str]) -> IntArray:
    return np.unique(names.to_numpy(dtype=str), return_inverse=True)[1].astype(np.int64)


def _warn(
    one_sided: tuple[tuple[str, str, float, int], ...], pull: tuple[float, float, float] | None
) -> tuple[str, ...]:
    lines = [
        f"Sides are not mixed: {one} stood first in {share:.0%} of the {votes} votes against {other}, so "
        "that whatever people like about the first side counts for it."
        for one, other, share, votes in one_sided
    ]
    if pull is not None and not pull[1] <= 0.5 <= pull[2]:
        first = pull[0] > 0.5
        share, low, high = pull if first else (1 - pull[0], 1 - pull[2], 1 - pull[1])
        lines.append(
            f"People favour the {'first' if first else 'second'} side: of two equal videos the one there "
            f"wins {share:.0%} [{low:.0%}, {high:.0%}]. Where teams stand on both sides equally often this "
            "cancels out."
        )
    return tuple(lines)
