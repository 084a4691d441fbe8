"""Elo ratings: in the order in which votes came, and over many orders.

Elo was made for players whose strength changes: a rating depends on the order of the games. Teams here do not
change, so the median over seeded orders is published with its spread.
Source: Elo, The Rating of Chessplayers (1978): R += K (S - E), E = 1 / (1 + 10^((R_other - R) / 400)).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ipvg_eval.core.resampling import FloatArray, IntArray
from ipvg_eval.leaderboard.bradley_terry import BradleyTerry
from ipvg_eval.leaderboard.challenge import EloRule
from ipvg_eval.leaderboard.comparisons import Comparisons

_CONVERGED = 0.9  # of the span of the Bradley-Terry ratings
_NOTICEABLE = 10.0  # points


@dataclass(frozen=True, kw_only=True, eq=False)
class Elo:
    """Elo ratings of every team.

    Attributes:
        teams: by name.
        rule: the settings.
        median: (teams,) median over the orders.
        low: (teams,) 2.5th percentile over the orders.
        high: (teams,) 97.5th percentile.
        smallest: (teams,) lowest rating in any order.
        largest: (teams,) highest.
        first_share: (teams,) share of the orders in which the team is first; tied teams share it.
        sequential: (teams,) ratings in the order in which the comparisons were given.
    """

    teams: tuple[str, ...]
    rule: EloRule
    median: FloatArray
    low: FloatArray
    high: FloatArray
    smallest: FloatArray
    largest: FloatArray
    first_share: FloatArray
    sequential: FloatArray


def rate_elo(comparisons: Comparisons, rule: EloRule | None = None) -> Elo:
    """Rate every team over seeded orders of the comparisons, and in the given order."""
    rule = rule or EloRule()
    rng = np.random.default_rng(rule.seed)
    games = len(comparisons)
    orders = np.stack([rng.permutation(games) for _ in range(rule.permutations)])
    ratings = elo_ratings(comparisons, orders, rule)
    low, median, high = np.quantile(ratings, [0.025, 0.5, 0.975], axis=0)
    played = np.isin(np.arange(len(comparisons.teams)), [comparisons.first, comparisons.second])
    first = played & (ratings == ratings[:, played].max(axis=1, keepdims=True))
    return Elo(
        teams=comparisons.teams,
        rule=rule,
        median=median,
        low=low,
        high=high,
        smallest=ratings.min(axis=0),
        largest=ratings.max(axis=0),
        first_share=np.asarray((first / first.sum(axis=1, keepdims=True)).mean(axis=0)),
        sequential=elo_ratings(comparisons, np.arange(games)[None], rule)[0],
    )


def elo_ratings(comparisons: Comparisons, orders: IntArray, rule: EloRule) -> FloatArray:
    """Play the comparisons in given orders, all orders side by side.

    Args:
        comparisons: a shared point is one game with a fractional score.
        orders: (n, games), each row a permutation of the games.
        rule: K and the initial rating.

    Returns:
        (n, teams) ratings; each row's mean is the initial rating.
    """
    ratings = np.full((len(orders), len(comparisons.teams)), rule.initial)
    rows = np.arange(len(orders))
    columns: Iterable[IntArray] = orders.T
    for games in columns:
        first, second = comparisons.first[games], comparisons.second[games]
        ours, theirs = ratings[rows, first], ratings[rows, second]
        expected = 1 / (1 + 10 ** ((theirs - ours) / 400))
        change = rule.k * (comparisons.score[games] - expected)
        ratings[rows, first] = ours + change
        ratings[rows, second] = theirs - change
    return ratings


def elo_warnings(elo: Elo, fit: BradleyTerry, games: int) -> tuple[str, ...]:
    """Says so where so few games with so small a K leave Elo short of where it is going.

    Both are on one scale, and Elo settles around Bradley-Terry; until then it spans less than that does.
    """
    played = ~np.isnan(fit.ratings)
    if fit.ridge is not None or not played.any():
        return ()
    span, settled = np.ptp(elo.median[played]), np.ptp(fit.ratings[played])
    if settled < _NOTICEABLE or span >= _CONVERGED * settled:
        return ()
    return (
        f"Elo has not converged: after {games} comparisons with K = {elo.rule.k:g} its ratings lie "
        f"{span:.0f} points apart, where Bradley-Terry's lie {settled:.0f}; read Bradley-Terry.",
    )
