"""Is the ranking decided? How likely each team is first, and what it would take to know.

Draws of the identities (phase 1) or of the shares of points (study) say what else the ranking could have
been. With k times as many identities, judged alike, the draws lie closer to the estimates by the root of k.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ipvg_eval.core.intervals import FEWEST, BoolArray, FloatArray
from ipvg_eval.leaderboard.final import FinalRanking
from ipvg_eval.leaderboard.phase1 import Phase1, places_drawn
from ipvg_eval.leaderboard.ratings import PairwiseRatings
from ipvg_eval.leaderboard.scores import Scores

CERTAIN = 0.95
_FACTORS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 25.0, 50.0, 100.0)
"""Times the identities there are; more is not a plan."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Decided:
    """How sure a ranking is.

    Attributes:
        stage: "final" where the votes of a study decide, else "phase 1".
        table: one row per team, as ranked: team, first (probability that it is first), goes_on (that it is
            among the finalists; NaN after phase 1).
        finalists: probability that the finalists of phase 1 are the right ones; None where it is not known.
        leader: the team that is first; empty where several share the place.
        settled: whether it is first, or the finalists are right, with the probability CERTAIN.
        factor: how many times as many identities would settle it, 1 where it is; None where it is not known
            or more than a hundred.
        words: the same in sentences.
    """

    stage: Literal["final", "phase 1"]
    table: pd.DataFrame
    finalists: float | None
    leader: str
    settled: bool
    factor: float | None
    words: tuple[str, ...]


def decide(
    scores: Scores,
    phase1: Phase1,
    final: FinalRanking,
    ratings: PairwiseRatings | None,
) -> Decided:
    """Say how sure the ranking is, from the study where it decides and is in, else from phase 1."""
    go_on = _finalists(scores, phase1)
    by_votes = final.stage == "final" and final.rule.method == "lexicographic" and ratings is not None
    if by_votes and final.rule.subjective == "study" and ratings is not None:
        return _by_votes(ratings, phase1, go_on)
    return _by_scores(scores, phase1, go_on)


def _too_few(identities: int) -> str:
    count = "1 identity is" if identities == 1 else f"{identities} identities are"
    return f"{count} too few to say how sure the ranking is."


def _by_scores(scores: Scores, phase1: Phase1, go_on: _GoOn) -> Decided:
    teams = list(phase1.table["team"])
    leader = _leader(phase1.table)
    identities = len(scores.resampling.identities)
    first = phase1.table["first_share"].to_numpy(dtype=np.float64)
    if np.isnan(first).any() or identities < FEWEST:
        return _unknown(teams, _too_few(identities))
    place = teams.index(leader) if leader else -1

    def sure(factor: float) -> float:
        places = places_drawn(scores, phase1, factor)
        first = float((places[:, place] == 1).mean()) if leader else 0.0
        return min(first, float(_right(_goes_on(places, phase1), phase1).mean()))

    factor = _needed(sure)
    words = [_first_words(teams, first, leader)]
    words.append(f"The finalists are the right ones with {_percent(go_on.right)}.")
    words.append(_needed_words(factor, identities, "identities"))
    return Decided(
        stage="phase 1",
        table=pd.DataFrame({"team": teams, "first": first, "goes_on": go_on.each}),
        finalists=go_on.right,
        leader=leader,
        settled=factor == 1,
        factor=factor,
        words=tuple(words),
    )


def _by_votes(ratings: PairwiseRatings, phase1: Phase1, go_on: _GoOn) -> Decided:
    table = ratings.table[ratings.table["team"].isin(phase1.goes_on)]
    teams = list(table["team"])
    first = table["first_share"].to_numpy(dtype=np.float64)
    if np.isnan(first).any():
        return _unknown(teams, _too_few(ratings.clusters))
    leader = _leader(table)
    chance = first[teams.index(leader)] if leader else 0.0
    gap = _gap(table)
    factor: float | None = 1.0
    if chance < CERTAIN:
        # The largest of a few normal draws: one-sided quantiles scale with the root of the size.
        factor = None if gap is None else math.ceil(10 * (_quantile(CERTAIN) / _quantile(chance)) ** 2) / 10
        if factor is not None and factor > _FACTORS[-1]:
            factor = None
    words = [_first_words(teams, first, leader)]
    if go_on.right is not None:
        words.append(f"Phase 1 sent the right finalists with {_percent(go_on.right)}.")
    words.append(_needed_words(factor, ratings.clusters, "identities", votes=ratings.votes))
    return Decided(
        stage="final",
        table=pd.DataFrame({"team": teams, "first": first, "goes_on": np.nan}),
        finalists=go_on.right,
        leader=leader,
        settled=factor == 1,
        factor=factor,
        words=tuple(words),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _GoOn:
    each: FloatArray
    right: float | None


def _finalists(scores: Scores, phase1: Phase1) -> _GoOn:
    """How often each team goes on, and how often exactly those do that did."""
    if phase1.table["first_share"].isna().any():
        return _GoOn(each=np.full(len(phase1.table), np.nan), right=None)
    goes = _goes_on(places_drawn(scores, phase1, 1.0), phase1)
    return _GoOn(each=goes.mean(axis=0), right=float(_right(goes, phase1).mean()))


def _goes_on(places: FloatArray, phase1: Phase1) -> BoolArray:
    """(draws, teams): who goes on, by the rule of phase 1."""
    eligible = phase1.table["eligible"].to_numpy(dtype=np.bool_)
    ahead = (places[:, None, :] < places[:, :, None]) & eligible
    return np.asarray((ahead.sum(axis=2) < phase1.finalists) & eligible)


def _right(goes: BoolArray, phase1: Phase1) -> BoolArray:
    return np.asarray((goes == phase1.table["finalist"].to_numpy(dtype=np.bool_)).all(axis=1))


def _needed(sure: Callable[[float], float]) -> float | None:
    """The smallest of a few factors with which it is certain."""
    return next((factor for factor in _FACTORS if sure(factor) >= CERTAIN), None)


def _leader(table: pd.DataFrame) -> str:
    first = table.loc[table["rank"] == 1, "team"]
    return str(first.iloc[0]) if len(first) == 1 else ""


def _gap(table: pd.DataFrame) -> float | None:
    shares = np.sort(table["win_share"].to_numpy(dtype=np.float64))[::-1]
    gap = float(shares[0] - shares[1]) if len(shares) > 1 else None
    return gap if gap else None


def _quantile(chance: float) -> float:
    return max(float(ndtri(min(max(chance, 0.5), 1 - 1e-9))), 1e-3)


def _percent(chance: float | None) -> str:
    if chance is None:
        return "an unknown probability"
    if chance > 0.99:
        return "more than 99 %"
    return "less than 1 %" if chance < 0.01 else f"{100 * chance:.0f} %"


def _first_words(teams: Sequence[str], first: FloatArray, leader: str) -> str:
    if not leader:
        return "First place is shared."
    place = teams.index(leader)
    rest = [(chance, team) for team, chance in zip(teams, first, strict=True) if team != leader]
    best = max(rest, default=None)
    words = f"{leader} is first with {_percent(float(first[place]))}"
    return f"{words}, {best[1]} with {_percent(float(best[0]))}." if best else f"{words}."


def _needed_words(factor: float | None, identities: int, what: str, votes: int | None = None) -> str:
    if factor == 1:
        return f"That is decided: {100 * CERTAIN:g} % or more."
    if factor is None:
        return f"Not decided, and a hundred times as many {what} would not settle it."
    judged = f" and {math.ceil(factor * votes)} votes instead of {votes}" if votes else ""
    return (
        f"Not decided: about {math.ceil(factor * identities)} {what} instead of {identities}{judged} would "
        f"settle it, if the differences stay what they are."
    )


def _unknown(teams: Sequence[str], words: str) -> Decided:
    unknown = np.full(len(teams), np.nan)
    return Decided(
        stage="phase 1",
        table=pd.DataFrame({"team": list(teams), "first": unknown, "goes_on": unknown}),
        finalists=None,
        leader="",
        settled=False,
        factor=None,
        words=(words,),
    )
