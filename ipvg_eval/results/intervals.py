"""Intervals of a run's means: identities are drawn anew, with every sample that was made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ipvg_eval.core.resampling import BootstrapRule, Resampling, percentile_interval
from ipvg_eval.core.row import SampleRow

FloatArray = npt.NDArray[np.float64]

INTERVAL_TITLE = "95 % interval, identities resampled"
"""What every interval of a run is; the level is the leaderboard's default."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ResampledMeans:
    """The means of a run's metrics under the leaderboard's draws of identities.

    Attributes:
        means: metric -> (resamples,) float64; NaN where none of the drawn samples has a value.
        identities: metric -> how many identities have a value.
        level: share of the draws inside an interval.
    """

    means: Mapping[str, FloatArray]
    identities: Mapping[str, int]
    level: float

    @classmethod
    def of(cls, rows: Iterable[SampleRow], metrics: Sequence[str]) -> ResampledMeans:
        """Draw the identities of the rows anew.

        Rows are taken in sample-id order, the last one of a sample counts, and the draws depend on the set
        of identities alone, so neither order nor shards change a digit.
        """
        rule = BootstrapRule()
        by_sample = {row.sample: row for row in rows}
        ordered = [by_sample[sample] for sample in sorted(by_sample)]
        if not ordered or not metrics:
            return cls(means={}, identities={}, level=rule.level)
        resampling = Resampling.of((row.identity for row in ordered), rule)
        columns = resampling.columns([row.identity for row in ordered])
        values = np.array([_values(row, metrics) for row in ordered], dtype=np.float64)
        means = resampling.means(values, columns)
        return cls(
            means={name: means[:, place] for place, name in enumerate(metrics)},
            identities={
                name: len(np.unique(columns[~np.isnan(values[:, place])]))
                for place, name in enumerate(metrics)
            },
            level=rule.level,
        )

    def interval(self, weights: Mapping[str, float]) -> tuple[float, float] | tuple[None, None]:
        """Lower and upper end for a weighted sum of means; a metric alone has weight 1.

        None where a term has values of fewer than two identities.
        """
        if any(self.identities.get(name, 0) < 2 for name in weights):
            return None, None
        total = np.zeros(len(next(iter(self.means.values()))))
        for name, weight in weights.items():
            total += weight * self.means[name]
        low, high = percentile_interval(total[:, None], self.level)
        return float(low[0]), float(high[0])


def _values(row: SampleRow, metrics: Sequence[str]) -> list[float]:
    values = {measurement.name: measurement.value for measurement in row.measurements}
    return [np.nan if values.get(name) is None else float(values[name] or 0.0) for name in metrics]
