"""The cluster bootstrap: identities are drawn anew, with everything that was measured on them.

Prompts of one identity share a face, so their scores and votes are not independent; drawing single
samples would make intervals too narrow. One set of draws serves every team and metric of a track, which
makes all comparisons between teams paired.

Source: Cameron, Gelbach, Miller, Bootstrap-Based Improvements for Inference with Clustered Errors (2008),
pairs cluster bootstrap; percentile intervals.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class BootstrapRule(BaseModel):
    """Settings of the intervals.

    Attributes:
        resamples: how many times the identities are drawn anew.
        seed: of the draws.
        level: share of the draws inside an interval.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    resamples: int = Field(default=1000, ge=10, le=100_000)
    seed: int = Field(default=0, ge=0)
    level: float = Field(default=0.95, gt=0, lt=1)


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

    def totals(self, values: FloatArray, columns: IntArray) -> FloatArray:
        """Sums over the drawn identities.

        Args:
            values: (n, ...), one row per sample, without NaN.
            columns: (n,), the identity of each row.

        Returns:
            (resamples, ...): every row counted as often as its identity was drawn.
        """
        clusters = np.zeros((len(self.identities), *values.shape[1:]))
        np.add.at(clusters, columns, values)
        flat = self.draws @ clusters.reshape(len(self.identities), -1)
        return flat.reshape(len(self.draws), *values.shape[1:])

    def means(self, values: FloatArray, columns: IntArray) -> FloatArray:
        """Means of (n, m) values over the drawn identities; NaN values do not count.

        Returns:
            (resamples, m); NaN where no value was drawn.
        """
        present = ~np.isnan(values)
        sums = self.totals(np.where(present, values, 0.0), columns)
        counts = self.totals(present.astype(np.float64), columns)
        return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)


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
