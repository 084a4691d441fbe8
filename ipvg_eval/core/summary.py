"""summary.json: a run in a few numbers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from ipvg_eval.core.names import TeamName


class _Part(BaseModel):
    # A summary of a newer version may say more; what is not named here is left alone.
    model_config = ConfigDict(extra="ignore", frozen=True)


class Counts(_Part):
    """How many samples came how far."""

    samples: int
    scored: int
    missing: int
    undecodable: int
    crashed: int
    damaged: int
    pending: int

    @property
    def failed(self) -> int:
        """Samples that could not be scored."""
        return self.missing + self.undecodable + self.crashed


class MetricSummary(_Part):
    """One metric over a run.

    Attributes:
        name: metric.
        title: its human name.
        higher_is_better: direction; None where neither is better.
        unit: unit of the values.
        proxy: whether it stands in for a published metric.
        mean: arithmetic mean over the samples that have a value; None where none has.
        low: lower end of the mean's 95 % interval, identities resampled; None where fewer than two
            identities have a value.
        high: upper end.
        std: standard deviation (n - 1); None for fewer than two values.
        minimum: smallest value.
        median: median value.
        maximum: largest value.
        count: samples with a value.
        missing: samples without one.
        flagged: samples whose value carries a note.
    """

    name: str
    title: str
    higher_is_better: bool | None
    unit: str
    proxy: bool
    mean: float | None
    low: float | None
    high: float | None
    std: float | None
    minimum: float | None
    median: float | None
    maximum: float | None
    count: int
    missing: int
    flagged: int


class Term(_Part):
    """One term of a weighted sum: weight times mean."""

    metric: str
    weight: float
    mean: float | None


class CombinedSummary(_Part):
    """A weighted sum of the metrics' means, as published totals are computed, with its terms.

    Attributes:
        name: the combination.
        title: its human name.
        higher_is_better: direction.
        value: the sum; None where a term is missing.
        low: lower end of its 95 % interval, identities resampled; None as for a metric.
        high: upper end.
        reason: which terms are missing.
        terms: what is added up.
    """

    name: str
    title: str
    higher_is_better: bool
    value: float | None
    low: float | None
    high: float | None
    reason: str | None
    terms: tuple[Term, ...]


class CorpusSummary(_Part):
    """A metric of the whole submission.

    Attributes:
        name: the metric.
        title: its human name.
        higher_is_better: direction; None where neither is better.
        value: the number, or None.
        reason: why there is none.
        samples: how many feature rows it was computed from.
        references: how many reference rows.
    """

    name: str
    title: str
    higher_is_better: bool | None
    value: float | None
    reason: str | None
    samples: int
    references: int


class Summary(_Part):
    """A run in a few numbers.

    Attributes:
        team: who is scored.
        protocol: name and version of the protocol.
        testset: fingerprint of the test set.
        notice: what every reader must know about these numbers, empty for none.
        counts: how many samples came how far.
        metrics: one summary per metric, in the protocol's order.
        combined: weighted sums of the metrics' means.
        corpus: metrics of the whole submission.
    """

    team: TeamName
    protocol: str
    testset: str
    notice: str
    counts: Counts
    metrics: tuple[MetricSummary, ...]
    combined: tuple[CombinedSummary, ...] = ()
    corpus: tuple[CorpusSummary, ...] = ()

    def metric(self, name: str) -> MetricSummary:
        """The summary of one metric.

        Raises:
            KeyError: the run does not have it.
        """
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise KeyError(name)
