"""Intervals of a run's means and of weighted sums of them, over its identities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ipvg_eval.core.intervals import Means, over_identities
from ipvg_eval.core.row import SampleRow

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class RunMeans:
    """The means of a run's metrics, with what each identity adds to their error.

    Attributes:
        places: metric -> its column.
        means: the means.
    """

    places: Mapping[str, int]
    means: Means

    @classmethod
    def of(cls, rows: Iterable[SampleRow], metrics: Sequence[str]) -> RunMeans:
        """Average the rows' metrics.

        Rows are taken in sample-id order and the last one of a sample counts, so neither order nor shards
        change a digit.
        """
        by_sample = {row.sample: row for row in rows}
        ordered = [by_sample[sample] for sample in sorted(by_sample)]
        values = np.array([_values(row, metrics) for row in ordered], dtype=np.float64)
        names, columns = np.unique([row.identity for row in ordered], return_inverse=True)
        means = Means.of(values.reshape(len(ordered), len(metrics)), columns.astype(np.int64), len(names))
        return cls(places={name: place for place, name in enumerate(metrics)}, means=means)

    def identities(self, metric: str) -> int:
        """How many identities have a value of a metric."""
        return int(self.means.identities[self.places[metric]])

    def interval(
        self, weights: Mapping[str, float], bounds: tuple[float | None, float | None] = (None, None)
    ) -> tuple[float, float] | tuple[None, None]:
        """Lower and upper end for a weighted sum of means; a metric alone has weight 1.

        None where a term is unknown or has values of fewer identities than an interval needs.

        Args:
            weights: of the metrics.
            bounds: what the sum can be.
        """
        if any(name not in self.places for name in weights):
            return None, None
        columns = [self.places[name] for name in weights]
        factors = np.array(list(weights.values()))[:, None]
        spread = over_identities(
            self.means.influences[:, columns] @ factors, self.means.identities[columns].min(keepdims=True)
        )
        low, high = spread.interval(self.means.values[columns] @ factors, bounds=bounds)
        return (None, None) if np.isnan(low[0]) else (float(low[0]), float(high[0]))


def _values(row: SampleRow, metrics: Sequence[str]) -> list[float]:
    values = {measurement.name: measurement.value for measurement in row.measurements}
    return [np.nan if values.get(name) is None else float(values[name] or 0.0) for name in metrics]
