"""Shares of votes that something agrees with: a metric, fitted weights, another annotator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ipvg_eval.core.intervals import BoolArray, Crossed, FloatArray, IntArray

_POINTS = {"a": 1.0, "draw": 0.5, "b": 0.0}


@dataclass(frozen=True, kw_only=True)
class Share:
    """A share of votes with its interval over identities and annotators; None where it cannot be had."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class JudgedPairs:
    """Votes with the pair of videos that each is on, whichever side they stood on.

    Attributes:
        points: (votes,) what the vote gives team_a: 1, 0.5 or 0.
        pair: (votes,) number of the pair.
        swapped: (votes,) whether team_a sorts behind team_b.
    """

    points: FloatArray
    pair: IntArray
    swapped: BoolArray

    @classmethod
    def of(cls, table: pd.DataFrame) -> JudgedPairs:
        """Number the pairs of a table of votes."""
        swapped = (table["team_a"] > table["team_b"]).to_numpy(dtype=np.bool_)
        sides = [
            np.where(swapped, table[one], table[other])
            for one, other in (("team_b", "team_a"), ("team_a", "team_b"))
        ]
        keys = pd.DataFrame({"sample": table["sample"].to_numpy(), "one": sides[0], "other": sides[1]})
        return cls(
            points=np.asarray(table["winner"].map(_POINTS), dtype=np.float64),
            pair=keys.groupby(list(keys)).ngroup().to_numpy().astype(np.int64),
            swapped=swapped,
        )

    @property
    def first_points(self) -> FloatArray:
        """(votes,) points of the team that sorts first."""
        return np.where(self.swapped, 1 - self.points, self.points)


def agreeing(points: FloatArray, gaps: FloatArray) -> FloatArray:
    """How far each vote goes to the video that is better by each measure; equal ones are half, NaN is none.

    Args:
        points: (votes,) of the first video.
        gaps: (votes, m): how much better the first video is.
    """
    return np.where(gaps == 0, 0.5, np.where(gaps > 0, points[:, None], 1 - points[:, None])) + 0 * gaps


def shares(agrees: FloatArray, clusters: IntArray, people: IntArray | None, level: float) -> list[Share]:
    """Means of the columns of (votes, m), NaN left out.

    Args:
        agrees: how far each vote agrees, [0, 1].
        clusters: (votes,) number of the identity.
        people: (votes,) number of the annotator; None where nobody is named.
        level: of the intervals.
    """
    present = ~np.isnan(agrees)
    count = present.sum(axis=0)
    known = np.where(present, agrees, 0.0)
    means = np.divide(known.sum(axis=0), count, out=np.full(len(count), np.nan), where=count > 0)
    influences = np.where(present, known - np.where(count > 0, means, 0.0), 0.0) / np.maximum(count, 1)
    low, high = Crossed.of(influences, clusters, people, present).share_interval(means, level)
    return [
        Share(value=_known(mean), low=_known(least), high=_known(most))
        for mean, least, most in zip(means, low, high, strict=True)
    ]


def ceiling(judged: JudgedPairs, clusters: IntArray, level: float) -> tuple[Share, int]:
    """How often two annotators agree about a pair, and on how many pairs of answers that rests."""
    score = judged.first_points
    size = int(judged.pair.max()) + 1
    wins, losses, total = (
        np.bincount(judged.pair, weights, minlength=size)
        for weights in (score == 1, score == 0, np.ones(len(score)))
    )
    pairs = total * (total - 1) / 2
    same = (wins * (wins - 1) + losses * (losses - 1)) / 2
    agreed = same + (pairs - same - wins * losses) / 2  # of a draw with anything, half
    several = pairs > 0
    if not several.any():
        return Share(value=None), 0
    of_pair = np.zeros(size, dtype=np.int64)
    of_pair[judged.pair] = clusters
    mean = float(agreed.sum() / pairs.sum())
    gaps = ((agreed - mean * pairs) / pairs.sum())[several][:, None]
    low, high = Crossed.of(gaps, of_pair[several], None).share_interval(np.array([mean]), level)
    return Share(value=mean, low=_known(low[0]), high=_known(high[0])), int(pairs.sum())


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
