"""summary.json: a run in a few numbers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from ipvg_eval.core.intervals import RESAMPLED
from ipvg_eval.core.names import TeamName


class _Part(BaseModel):
    # A summary of a newer version may say more; what is not named here is left alone.
    model_config = ConfigDict(extra="ignore", frozen=True)


class Counts(_Part):
    """How many samples came how far; `broken` ones are scored, but lack a metric whose code broke."""

    samples: int
    scored: int
    missing: int
    undecodable: int
    crashed: int
    damaged: int
    pending: int
    broken: int = 0

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
        low: lower end of the mean's interval, see `Summary.intervals`; None where too few identities have a
            value.
        high: upper end.
        std: standard deviation (n - 1); None for fewer than two values.
        minimum: smallest value.
        median: median value.
        maximum: largest value.
        count: samples with a value.
        missing: samples without one.
        flagged: samples whose value carries a note.
        identities: identities with a value; None in summaries that did not count them.
        package: name and version of the installed package that measures it; empty for ours.
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
    identities: int | None = None
    package: str = ""


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
        low: lower end of its interval; None as for a metric.
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


class Estimate(_Part):
    """A number with its interval over identities; None where it cannot be had."""

    value: float | None
    low: float | None = None
    high: float | None = None


class ConfusedVideo(_Part):
    """A video that looks more like somebody else: both cosines."""

    sample: str
    identity: str
    other: str
    own: float
    with_other: float


class Identification(_Part):
    """Videos against the references of everybody in the test set, by one network's kept embeddings.

    Attributes:
        metric: the score whose embeddings they are.
        proxy: whether edges and textures stand in for a network that tells people apart.
        videos: videos with a face.
        identities: people they are compared with.
        rank_1: share of videos that are most like their own reference.
        rank_5: share whose own reference is among the first five.
        auc: chance that a video is more like its own reference than like another's.
        d_prime: how far the own cosines lie from the others, in standard deviations.
        threshold: cosine that one in a thousand pairs of a video and another's reference exceeds; None for
            fewer pairs.
        matched: share of videos that exceed it with their own reference.
        edges: of the bins of the histograms.
        own: videos per bin, by the cosine with their own reference.
        others: pairs per bin, of a video and another's reference.
        confusions: the worst, largest difference first.
        alike: references of two identities that look like one person, with their cosine.
        hints: what these numbers say about the installation or the test set.
    """

    metric: str
    proxy: bool = False
    videos: int
    identities: int
    rank_1: Estimate
    rank_5: Estimate
    auc: Estimate
    d_prime: Estimate
    threshold: float | None
    matched: Estimate
    edges: tuple[float, ...]
    own: tuple[int, ...]
    others: tuple[int, ...]
    confusions: tuple[ConfusedVideo, ...]
    alike: tuple[tuple[str, str, float], ...]
    hints: tuple[str, ...]


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
        identification: videos against everybody, one entry per network that kept embeddings.
        intervals: what the intervals are.
        caution: what a reader must know about them, empty for nothing.
    """

    team: TeamName
    protocol: str
    testset: str
    notice: str
    counts: Counts
    metrics: tuple[MetricSummary, ...]
    combined: tuple[CombinedSummary, ...] = ()
    corpus: tuple[CorpusSummary, ...] = ()
    identification: tuple[Identification, ...] = ()
    intervals: str = RESAMPLED
    caution: str = ""

    def metric(self, name: str) -> MetricSummary:
        """The summary of one metric.

        Raises:
            KeyError: the run does not have it.
        """
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise KeyError(name)
