"""Krippendorff's alpha: do annotators agree beyond chance?

Source: Krippendorff, Computing Krippendorff's Alpha-Reliability (2011): 1 - observed / expected disagreement,
from the coincidences of values within units. 1 is perfect agreement, 0 what chance gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from ipvg_eval.core.intervals import FEWEST, LEVEL, BoolArray, FloatArray, IntArray, Spread
from ipvg_eval.leaderboard.votes import Votes

Level = Literal["nominal", "ordinal"]


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Agreement of annotators who judged the same thing.

    Attributes:
        level: how far apart two answers are: "nominal": different is different; "ordinal": by rank.
        alpha: Krippendorff's alpha, (-inf, 1]; None where it cannot be computed.
        low: lower end of its interval over identities and annotators; None where there is none.
        high: upper end.
        units: how many things two or more annotators judged.
        judgements: how many judgements those have.
        reason: why there is no alpha, empty if there is one.
    """

    level: Level
    alpha: float | None
    low: float | None
    high: float | None
    units: int
    judgements: int
    reason: str


def vote_agreement(
    votes: Votes,
    *,
    question: str | None = None,
    level: Level = "ordinal",
    identities: Mapping[str, str] | None = None,
    confidence: float = LEVEL,
) -> Agreement:
    """Agreement on which of two videos is better; the answers are ordered loss, draw, win.

    Args:
        votes: checked votes.
        question: which; all votes where None, each question a unit of its own.
        level: see `Agreement`.
        identities: sample -> identity; every sample is its own cluster where None.
        confidence: level of the interval.
    """
    table = votes.table if question is None else votes.table[votes.table["question"] == question]
    swapped = (table["team_a"] > table["team_b"]).to_numpy()
    values = table["winner"].map({"b": 0, "draw": 1, "a": 2}).to_numpy(dtype=np.int64)
    pairs = pd.DataFrame(
        {
            "sample": table["sample"].to_numpy(),
            "one": np.where(swapped, table["team_b"], table["team_a"]),
            "other": np.where(swapped, table["team_a"], table["team_b"]),
            "question": table["question"].to_numpy(),
        }
    )
    units = pairs.groupby(list(pairs)).ngroup().to_numpy().astype(np.int64)
    clusters = [str(name) if identities is None else identities[str(name)] for name in table["sample"]]
    return krippendorff_alpha(
        units,
        np.asarray(np.where(swapped, 2 - values, values), dtype=np.int64),
        categories=3,
        level=level,
        clusters=clusters,
        annotators=list(table["annotator"]),
        confidence=confidence,
    )


def krippendorff_alpha(
    units: IntArray,
    values: IntArray,
    *,
    categories: int,
    level: Level,
    clusters: Sequence[str] = (),
    annotators: Sequence[str] = (),
    confidence: float = LEVEL,
) -> Agreement:
    """Alpha of coded judgements, with an interval where identities are given.

    Its variance is the jackknife's over identities plus that over annotators less that over single
    judgements, which both contain.

    Args:
        units: (n,) what was judged.
        values: (n,) the category of each judgement, 0 to categories - 1, in order.
        categories: how many there are.
        level: see `Agreement`.
        clusters: (n,) identity of each judgement.
        annotators: (n,) who gave it.
        confidence: level of the interval.
    """
    keys, unit = np.unique(units, return_inverse=True)
    counts = np.zeros((len(keys), categories))
    np.add.at(counts, (unit, values), 1.0)
    judged = counts.sum(axis=1)
    several = judged > 1
    facts = {"units": int(several.sum()), "judgements": int(judged[several].sum())}
    coincidences = _coincidences(counts[several])
    whole = coincidences.sum(axis=0)
    alpha = float(_alphas(whole[None], level)[0])
    if np.isnan(alpha):
        reason = "all judgements are the same" if facts["units"] else "nothing was judged twice"
        return Agreement(level=level, alpha=None, low=None, high=None, reason=reason, **facts)
    low = high = None
    if len(clusters):
        names, numbers = np.unique(np.asarray(clusters, dtype=object).astype(str), return_inverse=True)
        of_unit = np.zeros(len(keys), dtype=np.int64)
        of_unit[unit] = numbers
        lost = np.zeros((len(names), categories, categories))
        np.add.at(lost, of_unit[several], coincidences)
        lost = lost[np.isin(np.arange(len(names)), of_unit[several])]
        parts = (lost, *_lost(counts, unit, values, annotators, several))
        spread = _spread(*(_jackknife(whole, part, level) for part in parts))
        ends = spread.interval(np.array([alpha]), confidence, (None, 1.0))
        low, high = (None if np.isnan(end[0]) else float(end[0]) for end in ends)
    return Agreement(level=level, alpha=alpha, low=low, high=high, reason="", **facts)


def _lost(
    counts: FloatArray, unit: IntArray, values: IntArray, annotators: Sequence[str], several: BoolArray
) -> tuple[FloatArray, ...]:
    """The coincidences that go with each annotator, and with each judgement; nothing of one panel."""
    if len(set(annotators)) < 2:
        return ()
    kept = several[unit]
    own, value = unit[kept], values[kept]
    left = counts[own]
    whole = _coincidences(left)
    left[np.arange(len(own)), value] -= 1.0
    single = whole - _coincidences(left)
    names, numbers = np.unique(np.asarray(annotators, dtype=object).astype(str)[kept], return_inverse=True)
    people = np.zeros((len(names), *single.shape[1:]))
    np.add.at(people, numbers, single)
    return people, single


def _jackknife(whole: FloatArray, lost: FloatArray, level: Level) -> tuple[float, int]:
    """Variance from leaving out one cluster each, and how many clusters there are.

    Where two people judged a thing, leaving out one takes the other's judgement of it along: what is left is
    fewer than all but one part, and the estimate moves further by as much.

    Args:
        whole: (categories, categories) coincidences.
        lost: (clusters, categories, categories): those that go with each cluster.
        level: see `Agreement`.
    """
    left_out = _alphas(whole - lost, level)
    left = 1 - lost.sum(axis=(1, 2)) / whole.sum()
    known = ~np.isnan(left_out)
    size = int(known.sum())
    if size < 2:
        return (0.0 if size else np.nan), size
    moved = (left_out[known] - _alphas(whole[None], level)) * left[known]
    return float(size * moved.var() * size / (size - 1)), size


def _spread(
    identities: tuple[float, int],
    annotators: tuple[float, int] = (0.0, 2),
    single: tuple[float, int] = (0.0, 2),
) -> Spread:
    (one, count), (other, people) = identities, annotators
    parts = one**2 / max(count - 1, 1) + other**2 / max(people - 1, 1)
    # What annotators lose counts every pair of answers twice, once for each of both, as do single judgements.
    variance = max(one + other - single[0], one, other - single[0] / 2)
    least = min(count, people if single[0] else count) - 1.0
    freedom = max(variance**2 / parts, least) if count >= FEWEST and parts > 0 else np.nan
    return Spread(error=np.sqrt(np.array([variance])), freedom=np.array([freedom]))


def _coincidences(counts: FloatArray) -> FloatArray:
    """(units, categories, categories) from the counts of each unit's values."""
    pairs = counts[:, :, None] * counts[:, None, :]
    diagonal = np.arange(counts.shape[1])
    pairs[:, diagonal, diagonal] -= counts
    others = np.maximum(counts.sum(axis=1) - 1, 1)  # what one person alone judged has no pair
    return np.asarray(pairs / others[:, None, None])


def _alphas(coincidences: FloatArray, level: Level) -> FloatArray:
    """(n,) from (n, categories, categories); NaN where no disagreement is to be expected."""
    marginals = coincidences.sum(axis=2)
    total = marginals.sum(axis=1)
    distances = _distances(marginals, level)
    expected = marginals[:, :, None] * marginals[:, None, :]  # the diagonal has distance 0
    observed = (coincidences * distances).sum(axis=(1, 2))
    chance = (expected * distances).sum(axis=(1, 2))
    defined = (chance > 0) & (total > 1)
    ratio = np.divide((total - 1) * observed, chance, out=np.full_like(chance, np.nan), where=defined)
    return np.asarray(1 - ratio)


def _distances(marginals: FloatArray, level: Level) -> FloatArray:
    """(n, categories, categories) squared distances between categories."""
    categories = marginals.shape[1]
    if level == "nominal":
        return np.broadcast_to(1.0 - np.eye(categories), (len(marginals), categories, categories))
    # Judgements up to the middle of each category: the distance of two is how many lie between their middles.
    middles = np.cumsum(marginals, axis=1) - marginals / 2
    return np.asarray((middles[:, :, None] - middles[:, None, :]) ** 2)
