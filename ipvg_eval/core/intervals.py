"""Intervals over identities: the one rule by which every number of this project is given one.

Prompts of one identity share a face, so an estimate's error is that of a sum over identities: every
identity moves the estimate by its influence, the variance is that of the influences, and Student's t with
one degree of freedom less than there are identities allows for their small number. Where people judged,
they are drawn from a crowd as identities are, and both count (crossed clusters).

Source: Liang, Zeger, Longitudinal Data Analysis Using Generalized Linear Models (1986) for the variance;
Cameron, Miller, A Practitioner's Guide to Cluster-Robust Inference (2015), sections VI.B and VI.D, for G -
1 degrees of freedom and G / (G - 1); Cameron, Gelbach, Miller, Robust Inference with Multiway Clustering
(2011) for crossed clusters; Satterthwaite, An Approximate Distribution of Estimates of Variance Components
(1946) for their degrees of freedom; Clopper, Pearson, The Use of Confidence or Fiducial Limits (1934), for
unanimous shares; Hall, On the Removal of Skewness by Transformation (1992), third
transformation, which can only widen the interval of a mean; Holm, A Simple Sequentially Rejective Multiple
Test Procedure (1979). `benchmarks/coverage.py` measures how often these intervals hold the truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

FEWEST = 5
"""Below this many identities there is no interval, and no difference is called larger than chance."""
FEW = 20
"""Below this many identities every output warns."""
LEVEL = 0.95
METHOD = "Student's t over identities"
RESAMPLED = "95 % interval, identities resampled"
"""What the intervals of runs are that do not say it: percentiles of a cluster bootstrap."""
INTERVAL_TITLE = f"{100 * LEVEL:g} % interval, {METHOD}"
_SYMMETRIC = 1e-6  # a smaller skewness moves no end by a visible digit
_ROUNDING = 1e-13  # a standard error below this share of its estimate is that of equal numbers


def caution(identities: int) -> str:
    """What a reader must know about intervals over so few identities; empty where there are enough."""
    what = f"{identities} {'identity' if identities == 1 else 'identities'}"
    if identities < FEWEST:
        return (
            f"{what}: too few for intervals, which need {FEWEST}; no difference is shown "
            "to be more than chance."
        )
    if identities < FEW:
        return (
            f"{what}: intervals rest on few of them, and failures that one in {identities} "
            f"shows may not have been seen at all; {FEW} or more are advised."
        )
    return ""


def panel_caution(annotators: int) -> str:
    """What a reader must know about intervals over so few people; empty where there are enough."""
    if annotators < 2:
        return "One annotator, or unnamed ones: intervals say nothing about what other people would answer."
    if annotators < FEWEST:
        return f"{annotators} annotators: intervals over so few people are rough."
    return ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Spread:
    """How far estimates may be from what they estimate.

    Attributes:
        error: (m,) standard errors.
        freedom: (m,) degrees of freedom of Student's t; NaN where there are too few identities.
        skewness: (m,) of what the identities add; None where it is left out.
    """

    error: FloatArray
    freedom: FloatArray
    skewness: FloatArray | None = None

    def interval(
        self,
        estimates: FloatArray,
        level: float = LEVEL,
        bounds: tuple[float | None, float | None] = (None, None),
    ) -> tuple[FloatArray, FloatArray]:
        """Lower and upper ends, within what the estimate can be; NaN where there is none."""
        tail = stdtrit(self.freedom, (1 + level) / 2)
        low = estimates - np.maximum(tail, self._unskewed(tail)) * self.error
        high = estimates + np.maximum(tail, -self._unskewed(-tail)) * self.error
        least, most = bounds
        low = low if least is None else np.maximum(low, least)
        high = high if most is None else np.minimum(high, most)
        return np.asarray(low), np.asarray(high)

    def _unskewed(self, tail: FloatArray) -> FloatArray:
        """The quantile of the studentised mean whose transformed one is `tail`."""
        if self.skewness is None:
            return tail
        root = np.sqrt(self.freedom + 1)
        skewed = np.abs(self.skewness) > _SYMMETRIC
        by = np.where(skewed, self.skewness, 1.0)
        moved = 3 * root / by * (np.cbrt(1 + by / root * (tail - by / (6 * root))) - 1)
        return np.asarray(np.where(skewed, moved, tail))

    def chance(self, estimates: FloatArray) -> FloatArray:
        """(m,) two-sided p-values of the estimates against 0; NaN where there is no interval."""
        tiny = self.error <= _ROUNDING * np.abs(estimates)
        ratio = np.divide(estimates, self.error, out=np.zeros_like(estimates), where=~tiny)
        ratio = np.where(tiny & (np.abs(estimates) > 0), np.inf, ratio)
        return np.asarray(np.where(np.isnan(self.freedom), np.nan, 2 * stdtr(self.freedom, -np.abs(ratio))))


@dataclass(frozen=True, kw_only=True, eq=False)
class Means:
    """Means over samples, with what every identity adds to their error.

    Attributes:
        values: (m,) means; NaN without a value.
        influences: (identities, m); every column adds up to 0.
        identities: (m,) how many identities have a value.
    """

    values: FloatArray
    influences: FloatArray
    identities: IntArray

    @classmethod
    def of(cls, values: FloatArray, columns: IntArray, identities: int) -> Means:
        """Average (n, m) values; NaN does not count.

        Args:
            values: one row per sample.
            columns: (n,) number of each sample's identity.
            identities: how many there are.
        """
        present = ~np.isnan(values)
        sums = cluster_sums(np.where(present, values, 0.0), columns, identities)
        counts = cluster_sums(present.astype(np.float64), columns, identities)
        total = counts.sum(axis=0)
        some = total > 0
        means = np.divide(sums.sum(axis=0), total, out=np.full(len(total), np.nan), where=some)
        gaps = sums - counts * np.where(some, means, 0.0)
        influences = np.divide(gaps, total, out=np.zeros_like(gaps), where=some)
        return cls(values=means, influences=influences, identities=(counts > 0).sum(axis=0).astype(np.int64))

    def spread(self) -> Spread:
        """Errors of the means."""
        return over_identities(self.influences, self.identities)


def over_identities(influences: FloatArray, identities: IntArray) -> Spread:
    """Errors of estimates from what each identity adds to them.

    Args:
        influences: (identities, m), columns that add up to 0.
        identities: (m,) how many of them take part.
    """
    freedom = np.where(identities >= FEWEST, identities - 1.0, np.nan)
    variance = (influences**2).sum(axis=0) * identities / np.maximum(identities - 1, 1)
    second, third = ((influences**power).sum(axis=0) / np.maximum(identities, 1) for power in (2, 3))
    skewness = np.divide(third, second**1.5, out=np.zeros_like(third), where=second > _ROUNDING**2)
    return Spread(error=np.sqrt(variance), freedom=freedom, skewness=skewness)


@dataclass(frozen=True, kw_only=True, eq=False)
class Crossed:
    """Covariances of estimates that people judged: identities and annotators are both drawn from many.

    Attributes:
        by_identity: (m, m) covariance over identities.
        by_annotator: as by_identity, over annotators; 0 where the intervals are about one panel.
        by_cell: over pairs of identity and annotator, which both of them contain.
        identities: (m,) how many identities an estimate rests on.
        annotators: (m,) how many annotators; 1 where they are unknown.
    """

    by_identity: FloatArray
    by_annotator: FloatArray
    by_cell: FloatArray
    identities: IntArray
    annotators: IntArray

    @classmethod
    def of(
        cls,
        influences: FloatArray,
        identities: IntArray,
        annotators: IntArray | None,
        present: BoolArray | None = None,
    ) -> Crossed:
        """Covariances from what each judgement adds to the estimates.

        Args:
            influences: (n, m), one row per judgement; columns add up to 0.
            identities: (n,) number of the identity.
            annotators: (n,) number of the annotator; None where they are unknown.
            present: (n, m) which judgements an estimate rests on; all where None.
        """
        present = np.ones(influences.shape, dtype=np.bool_) if present is None else present
        by_identity, count = _covariance(influences, identities, present)
        if annotators is None or not len(annotators) or annotators.min() == annotators.max():
            none = np.zeros_like(by_identity)
            people = np.ones_like(count)
            return cls(
                by_identity=by_identity, by_annotator=none, by_cell=none, identities=count, annotators=people
            )
        by_annotator, people = _covariance(influences, annotators, present)
        cells = np.unique(identities * (annotators.max() + 1) + annotators, return_inverse=True)[1]
        by_cell, _ = _covariance(influences, cells.astype(np.int64), present)
        return cls(
            by_identity=by_identity,
            by_annotator=by_annotator,
            by_cell=by_cell,
            identities=count,
            annotators=people,
        )

    def spread(self, contrasts: FloatArray | None = None) -> Spread:
        """Errors of the estimates, or of weighted sums of them.

        A variance is never below that over identities or that over annotators alone.

        Args:
            contrasts: (q, m) weights of the sums.
        """
        weights = np.eye(len(self.identities)) if contrasts is None else contrasts
        one, other, both = (
            np.maximum(((weights @ part) * weights).sum(axis=1), 0.0)
            for part in (self.by_identity, self.by_annotator, self.by_cell)
        )
        many = np.iinfo(np.int64).max
        count, people = (
            np.where(weights != 0, n, many).min(axis=1) for n in (self.identities, self.annotators)
        )
        parts = one**2 / np.maximum(count - 1, 1) + other**2 / np.maximum(people - 1, 1)
        freedom = np.maximum(count - 1.0, 1.0)
        variance = np.maximum(one + other - both, np.maximum(one, other))
        freedom = np.divide(variance**2, parts, out=freedom, where=parts > 0)
        return Spread(
            error=np.sqrt(variance),
            freedom=np.where(count >= FEWEST, freedom, np.nan),
        )

    def share_interval(self, shares: FloatArray, level: float = LEVEL) -> tuple[FloatArray, FloatArray]:
        """Lower and upper ends of shares, [0, 1]; NaN where there is none.

        Votes that all agree show no variance, and not how they hang together: their interval is that of as
        many independent ones as there are identities, or annotators where those are fewer.
        """
        low, high = self.spread().interval(shares, level, (0.0, 1.0))
        count = np.where(self.annotators > 1, np.minimum(self.identities, self.annotators), self.identities)
        least = ((1 - level) / 2) ** (1 / np.maximum(count, 1))
        known = ~np.isnan(low)
        low = np.where(known & (shares >= 1 - _ROUNDING), least, low)
        return low, np.where(known & (shares <= _ROUNDING), 1 - least, high)

    def draws(self, estimates: FloatArray, rng: np.random.Generator, size: int) -> FloatArray:
        """(size, m) estimates as they might have been, from a multivariate t; NaN with too few identities."""
        freedom = self.spread().freedom
        if np.isnan(freedom).any():
            return np.full((size, len(estimates)), np.nan)
        values, vectors = np.linalg.eigh(self.by_identity + self.by_annotator - self.by_cell)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        normal = rng.standard_normal((size, len(estimates))) @ root.T
        heavy = np.sqrt(freedom.min() / rng.chisquare(freedom.min(), size))
        return np.asarray(estimates + normal * heavy[:, None])


def holm(chances: FloatArray) -> FloatArray:
    """P-values of many tests at once, corrected after Holm; NaN is no test."""
    corrected = np.full(len(chances), np.nan)
    known = np.flatnonzero(~np.isnan(chances))
    order = known[np.argsort(chances[known], kind="stable")]
    steps = chances[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0) if len(order) else steps
    return corrected


def cluster_sums(values: FloatArray, columns: IntArray, clusters: int) -> FloatArray:
    """(clusters, m) sums of (n, m) values over the rows of each cluster."""
    sums = np.zeros((clusters, values.shape[1]))
    order = np.argsort(columns, kind="stable")
    found, starts = np.unique(columns[order], return_index=True)
    if len(found):
        sums[found] = np.add.reduceat(values[order], starts, axis=0)
    return sums


def _covariance(influences: FloatArray, columns: IntArray, present: BoolArray) -> tuple[FloatArray, IntArray]:
    clusters = int(columns.max(initial=-1)) + 1
    sums = cluster_sums(influences, columns, clusters)
    count = (cluster_sums(present.astype(np.float64), columns, clusters) > 0).sum(axis=0).astype(np.int64)
    factor = np.sqrt(count / np.maximum(count - 1, 1))
    return (sums * factor).T @ (sums * factor), count
