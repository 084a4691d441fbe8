"""Which samples and identities stand out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ipvg_eval.core import page
from ipvg_eval.core.page import Extremes
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.report.samples import Sample

HEAT_LEVELS = 5


def extremes(samples: Sequence[Sample], spec: MetricSpec, *, each: int) -> Extremes:
    """The `each` best and worst samples that have a value; equal values keep the test set's order."""
    values = {sample.sample: sample.values[spec.name] for sample in samples}
    return page.extremes(values, metric=spec.name, higher_is_better=spec.higher_is_better, each=each)


@dataclass(frozen=True, kw_only=True)
class IdentityMean:
    """One identity's mean of one metric.

    Attributes:
        mean: over its samples that have a value, None where none has.
        level: 0 for the worst fifth of the metric's range over the identities, 4 for the best; None for
            a diagnostic or where all identities agree.
    """

    mean: float | None
    level: int | None


@dataclass(frozen=True, kw_only=True)
class Identity:
    """One identity over its samples."""

    identity: str
    samples: int
    scored: int
    means: tuple[IdentityMean, ...]


def by_identity(samples: Sequence[Sample], specs: Sequence[MetricSpec]) -> tuple[Identity, ...]:
    """Every identity's mean of every metric, in the test set's order."""
    groups: dict[str, list[Sample]] = {}
    for sample in samples:
        groups.setdefault(sample.identity, []).append(sample)
    columns = [_column(groups.values(), spec) for spec in specs]
    return tuple(
        Identity(
            identity=identity,
            samples=len(group),
            scored=sum(not sample.failed for sample in group),
            means=tuple(column[row] for column in columns),
        )
        for row, (identity, group) in enumerate(groups.items())
    )


def _column(groups: Iterable[Sequence[Sample]], spec: MetricSpec) -> list[IdentityMean]:
    means = [_mean([sample.values[spec.name] for sample in group]) for group in groups]
    known = [mean for mean in means if mean is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    return [IdentityMean(mean=mean, level=_level(mean, low, high, spec.higher_is_better)) for mean in means]


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None


def _level(mean: float | None, low: float, high: float, higher_is_better: bool | None) -> int | None:
    if mean is None or higher_is_better is None or not high > low:
        return None
    share = (mean - low) / (high - low)
    goodness = share if higher_is_better else 1.0 - share
    return min(HEAT_LEVELS - 1, int(goodness * HEAT_LEVELS))
