"""From rows to one number per metric."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence

from ipvg_eval.core.combination import Combination, combine
from ipvg_eval.core.row import MeasurementRow, SampleRow, Status
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.core.summary import CombinedSummary, Counts, MetricSummary, Term
from ipvg_eval.results.intervals import RunMeans


def count(rows: Iterable[SampleRow], *, samples: int) -> Counts:
    """Count rows by status; samples without a row are pending."""
    rows = list(rows)
    by_status = {status: sum(row.status is status for row in rows) for status in Status}
    return Counts(
        samples=samples,
        scored=by_status[Status.SCORED],
        missing=by_status[Status.MISSING],
        undecodable=by_status[Status.UNDECODABLE],
        crashed=by_status[Status.CRASHED],
        damaged=sum(row.damage is not None for row in rows),
        pending=samples - len(rows),
        broken=sum(bool(row.broken) for row in rows),
    )


def aggregate(rows: Iterable[SampleRow], specs: Sequence[MetricSpec]) -> tuple[MetricSummary, ...]:
    """Summarise every metric over the rows.

    Sums are exact and the rows are taken in sample order, so neither the order in which samples
    finished nor the way they were split over processes changes a digit.
    """
    rows = list(rows)
    measurements = {
        (row.sample, measurement.name): measurement for row in rows for measurement in row.measurements
    }
    samples = sorted({sample for sample, _ in measurements})
    means = RunMeans.of(rows, [spec.name for spec in specs])
    return tuple(
        _summarise(
            spec,
            [measurements[key] for sample in samples if (key := (sample, spec.name)) in measurements],
            means,
        )
        for spec in specs
    )


def summarise_combinations(
    combinations: Iterable[Combination], metrics: Sequence[MetricSummary], rows: Iterable[SampleRow]
) -> tuple[CombinedSummary, ...]:
    """Every weighted sum of the metrics' means.

    Args:
        combinations: the sums.
        metrics: what `aggregate` made of the rows.
        rows: for the intervals.
    """
    means = {metric.name: metric.mean for metric in metrics}
    over_rows = RunMeans.of(rows, list(means))
    return tuple(_summarise_combination(combination, means, over_rows) for combination in combinations)


def _summarise_combination(
    combination: Combination, means: Mapping[str, float | None], over_rows: RunMeans
) -> CombinedSummary:
    combined = combine(combination, means)
    low, high = over_rows.interval(combination.weights)
    return CombinedSummary(
        name=combination.name,
        title=combination.title,
        higher_is_better=combination.higher_is_better,
        value=combined.value,
        low=low,
        high=high,
        reason=combined.reason,
        terms=tuple(
            Term(metric=name, weight=weight, mean=means.get(name))
            for name, weight in combination.weights.items()
        ),
    )


def _summarise(spec: MetricSpec, column: Sequence[MeasurementRow], means: RunMeans) -> MetricSummary:
    low, high = means.interval({spec.name: 1.0}, spec.bounds)
    values = [m.value for m in column if m.value is not None]
    mean = math.fsum(values) / len(values) if values else None
    return MetricSummary(
        name=spec.name,
        title=spec.label,
        higher_is_better=spec.higher_is_better,
        unit=spec.unit,
        proxy=spec.proxy,
        package=spec.package,
        mean=mean,
        low=low,
        high=high,
        std=_deviation(values, mean),
        minimum=min(values, default=None),
        median=statistics.median(values) if values else None,
        maximum=max(values, default=None),
        count=len(values),
        identities=means.identities(spec.name),
        missing=len(column) - len(values),
        flagged=sum(m.note is not None for m in column),
    )


def _deviation(values: Sequence[float], mean: float | None) -> float | None:
    if mean is None or len(values) < 2:
        return None
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
