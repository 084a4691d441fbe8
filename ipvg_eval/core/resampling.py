"""Draws of identities: what else a ranking could have been, had other faces been in the test set.

One set of draws serves every team and metric of a track, so that all comparisons between teams are paired. An
estimate follows a draw along its influences (the infinitesimal jackknife: Efron, Tibshirani, An Introduction
to the Bootstrap, 1993, chapter 22), stretched so that the draws spread as far as Student's t says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field
from scipy.special import ndtri, stdtrit

from ipvg_eval.core.intervals import FEWEST, LEVEL, Means

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class BootstrapRule(BaseModel):
    """Settings of the intervals and of the draws.

    Attributes:
        resamples: how many times the identities are drawn anew.
        seed: of the draws.
        level: how often an interval is to hold the truth; share of the draws inside a range of ranks.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    resamples: int = Field(default=1000, ge=10, le=100_000)
    seed: int = Field(default=0, ge=0)
    level: float = Field(default=LEVEL, gt=0, lt=1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Resampling:
    """Draws of identities.

    Attributes:
        identities: the clusters, in the order of the columns.
        draws: (resamples, identities) float64: how often each identity was drawn; rows sum to their number.
        rule: the settings that made them.
    """

    identities: tuple[str, ...]
    draws: FloatArray
    rule: BootstrapRule

    @classmethod
    def of(cls, identities: Iterable[str], rule: BootstrapRule | None = None) -> Resampling:
        """Draw as many identities as there are, with replacement; same names and seed, same draws.

        Raises:
            ValueError: there is no identity.
        """
        rule = rule or BootstrapRule()
        names = tuple(sorted(set(identities)))
        if not names:
            raise ValueError("there is no identity to draw")
        rng = np.random.default_rng(rule.seed)
        draws = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=rule.resamples)
        return cls(identities=names, draws=draws.astype(np.float64), rule=rule)

    def columns(self, identities: Sequence[str]) -> IntArray:
        """The column of each name."""
        place = {name: column for column, name in enumerate(self.identities)}
        return np.array([place[name] for name in identities], dtype=np.int64)

    def means(self, means: Means) -> FloatArray:
        """(resamples, m) means under the draws; NaN for a mean of fewer identities than an interval needs."""
        count = np.maximum(means.identities, 2)
        tail = (1 + self.rule.level) / 2
        stretch = stdtrit(count - 1, tail) / ndtri(tail) * np.sqrt(count / (count - 1))
        drawn = means.values + (self.draws - 1) @ (means.influences * stretch)
        return np.asarray(np.where(means.identities >= FEWEST, drawn, np.nan))


def percentile_interval(resamples: FloatArray, level: float) -> tuple[FloatArray, FloatArray]:
    """The central interval of resampled statistics, NaN resamples left out.

    Args:
        resamples: (resamples, ...).
        level: share of the resamples inside.

    Returns:
        lower and upper ends, each (...); NaN where no resample has a value.
    """
    if not len(resamples):
        return np.full(resamples.shape[1:], np.nan), np.full(resamples.shape[1:], np.nan)
    outside = (1 - level) / 2
    missing = np.isnan(resamples)
    if not missing.any():
        low, high = np.quantile(resamples, [outside, 1 - outside], axis=0)
        return low, high
    empty = missing.all(axis=0)
    filled = np.where(empty, 0.0, resamples)
    low, high = np.nanquantile(filled, [outside, 1 - outside], axis=0)
    return np.where(empty, np.nan, low), np.where(empty, np.nan, high)
