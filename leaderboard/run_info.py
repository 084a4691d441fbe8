"""run.json as a ranking needs it: who was scored, by which rules, and whether two runs compare.

Keys that are not named here are left alone: the scorer may say more about a run than a ranking reads.
"""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

_ABSENT = "absent"


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class MetricInfo(_Part):
    """A metric as the run declares it.

    `higher_is_better` is None for a diagnostic. A `derived` metric is computed from others of the run: it
    counts only where a challenge names it.
    """

    name: str
    version: int
    title: str
    higher_is_better: bool | None
    unit: str = ""
    proxy: bool = False
    summary: str = ""
    source: str = ""
    bounds: tuple[float | None, float | None] = (None, None)
    derived: bool = False


class CombinationInfo(_Part):
    """A weighted sum of metrics that the protocol declares."""

    name: str
    title: str
    weights: dict[str, float]
    source: str = ""
    higher_is_better: bool = True

    @property
    def metric(self) -> MetricInfo:
        """The sum of every sample that has all its terms, as a metric."""
        terms = " + ".join(f"{weight:g} {name}" for name, weight in self.weights.items())
        return MetricInfo(
            name=self.name,
            version=1,
            title=self.title,
            higher_is_better=self.higher_is_better,
            summary=f"{terms}, over the samples that have every term.",
            source=self.source,
            derived=True,
        )


class ProtocolInfo(_Part):
    """The protocol of a run; `official` is False for one that must not enter a leaderboard."""

    name: str
    version: int
    sha256: str
    official: bool
    notice: str = ""
    text: str = ""
    combined: tuple[CombinationInfo, ...] = ()
    corpus: tuple[MetricInfo, ...] = ()


class TestSetInfo(_Part):
    """The test set of a run."""

    __test__ = False  # pytest must not collect it

    name: str
    track: str
    samples: int
    identities: int
    fingerprint: str


class DeviceInfo(_Part):
    """Where the networks ran."""

    device: str
    name: str = ""
    dtype: str


class ProvenanceInfo(_Part):
    """What measured a run; empty where run.json does not say."""

    version: str = ""
    commit: str | None = None
    packages: dict[str, str] = Field(default_factory=dict)
    python: str = ""


class RunCounts(_Part):
    """How many samples came how far."""

    samples: int
    scored: int
    missing: int
    undecodable: int
    crashed: int
    damaged: int
    pending: int


class RunInfo(_Part):
    """What run.json says.

    Attributes:
        team: who is scored.
        protocol: by which rules.
        specs: the metrics, in column order.
        testset: against which test set.
        weights: sha256 of every weight file in use, by name.
        random_weights: seed where networks had random weights, else None.
        decoder: library and versions that decoded the videos.
        device: where the networks ran.
        provenance: versions of what measured it.
        started: start of the run.
        finished: end of the run, None while samples are pending.
        counts: how many samples came how far.
    """

    team: str
    protocol: ProtocolInfo
    specs: tuple[MetricInfo, ...]
    testset: TestSetInfo
    weights: dict[str, str]
    random_weights: int | None
    decoder: str
    device: DeviceInfo
    provenance: ProvenanceInfo = Field(default_factory=ProvenanceInfo)
    started: AwareDatetime
    finished: AwareDatetime | None
    counts: RunCounts

    @property
    def metrics(self) -> tuple[MetricInfo, ...]:
        """Every metric of the run: of each sample, the weighted sums, and of the whole submission."""
        corpus = (metric.model_copy(update={"derived": True}) for metric in self.protocol.corpus)
        return (*self.specs, *(combination.metric for combination in self.protocol.combined), *corpus)

    @property
    def comparable(self) -> dict[str, str]:
        """The facts that two runs must share for their numbers to be compared, by name."""
        return {
            "protocol": f"{self.protocol.name} {self.protocol.version} ({self.protocol.sha256[:12]})",
            "metrics": ", ".join(f"{spec.name} v{spec.version}" for spec in self.specs),
            "test set": f"{self.testset.name} ({self.testset.fingerprint[:12]})",
            **{f"weights of {name}": sha for name, sha in sorted(self.weights.items()) if _is_shared(name)},
            "random weights": "none" if self.random_weights is None else f"seed {self.random_weights}",
            "decoder": self.decoder,
            "device type": self.device.device.partition(":")[0],
            "dtype": self.device.dtype,
        }


def _is_shared(name: str) -> bool:
    """Whether a file is everybody's; the others are about one submission."""
    return not name.startswith("file: ")


def differing_facts(runs: dict[str, RunInfo]) -> dict[str, dict[str, tuple[str, ...]]]:
    """The comparable facts in which runs differ.

    Args:
        runs: by the name they are to be called.

    Returns:
        fact -> value -> names of the runs that have it; empty if all runs compare.
    """
    facts = {name: _identified(info) for name, info in runs.items()}
    keys = dict.fromkeys(key for values in facts.values() for key in values)
    different: dict[str, dict[str, tuple[str, ...]]] = {}
    for key in keys:
        groups: dict[str, tuple[str, ...]] = {}
        for name, values in facts.items():
            value = values.get(key, _ABSENT)
            groups[value] = (*groups.get(value, ()), name)
        if len(groups) > 1:
            different[key] = groups
    return different


def _identified(info: RunInfo) -> dict[str, str]:
    """Comparable facts without what is only a label: a test set is its content, whatever it is called."""
    return {**info.comparable, "test set": info.testset.fingerprint[:16]}
