"""run.json: what was scored, by what, and when."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ipvg_eval.core.budget import Budget
from ipvg_eval.core.combination import Combination
from ipvg_eval.core.limits import Confinement, ProcessLimits
from ipvg_eval.core.names import Storable, TeamName
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.core.summary import Counts
from ipvg_eval.core.verdict import Verdict


def _aware(text: str) -> str:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("the time has no zone")
    return text


Moment = Annotated[str, AfterValidator(_aware)]
"""A time with its zone, ISO 8601."""


class _Info(BaseModel):
    # run.json of a newer version may say more; what is not named here is left alone.
    model_config = ConfigDict(extra="ignore", frozen=True)


class EvaluatorEntry(BaseModel):
    """One evaluator of a protocol.

    Attributes:
        kind: name in the registry.
        options: its options; what is left out has the evaluator's default.
        metrics: which of its metrics are reported; all where left out.
        needs: "timeline" leaves it out for test sets without a single timeline; always there where left out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    options: dict[str, Any] = Field(default_factory=dict)
    metrics: tuple[str, ...] | None = None
    needs: Literal["timeline"] | None = None


class Provenance(_Info):
    """The software and machine of a run.

    Attributes:
        version: version of ipvg-eval.
        commit: its git commit where it runs from a checkout, with "-dirty" where files were changed.
        packages: versions of the packages that can change a number.
        python: version of Python.
        platform: operating system and processor.
    """

    version: str
    commit: str | None
    packages: dict[str, str]
    python: str
    platform: str


class ProtocolInfo(_Info):
    """The protocol of a run, with its full text and what it computes from the rows.

    Attributes:
        name: its name.
        version: its version.
        sha256: hash of what it says, without comments and layout.
        official: False for runs that must not enter a leaderboard.
        notice: what every output of the run repeats.
        text: its file's text.
        evaluators: what really measured: those of the text, less what was not asked for.
        combined: weighted sums.
        corpus: metrics of the whole submission.
    """

    name: str
    version: int
    sha256: str
    official: bool
    notice: str
    text: str
    evaluators: tuple[EvaluatorEntry, ...] = ()
    combined: tuple[Combination, ...] = ()
    corpus: tuple[MetricSpec, ...] = ()


class TestSetInfo(_Info):
    """The test set of a run."""

    __test__ = False

    name: Storable
    layout: str
    track: str
    samples: int
    identities: int
    fingerprint: str


class SubmissionInfo(_Info):
    """The submission of a run: its file or folder name and whether it was a zip."""

    name: Storable
    kind: str


class DeviceInfo(_Info):
    """Where and how the networks ran.

    Attributes:
        device: "cpu" or "cuda:N".
        name: the device's model.
        dtype: floating-point type of the networks.
        threads: CPU threads that torch used.
        deterministic: whether torch was made to give the same bits every time.
        batch_size: frames per forward pass, at most.
        compiled: whether repeated blocks were compiled; that may move last digits.
        on_the_cpu: weights of networks that ran on the CPU although the device is another.
    """

    device: str
    name: str
    dtype: str
    threads: int
    deterministic: bool = False
    batch_size: int | None = None
    compiled: bool = False
    on_the_cpu: tuple[str, ...] = ()


class WorkersInfo(_Info):
    """The processes that measured in the last session, where several did, perhaps on several machines.

    Attributes:
        engine: what ran them, with its version.
        count: how many there were.
        devices: how many there were of each kind of device, by a description of it.
    """

    engine: str
    count: int
    devices: dict[str, int]


class RescoredInfo(_Info):
    """The run that a run was recombined from; nothing was decoded.

    Attributes:
        folder: name of its folder.
        protocol: its protocol, as in the facts that comparable runs share.
        samples_sha256: hash of its samples.parquet.
        command: the command line that scored it.
        provenance: software and machine of the recombining.
        at: when that was, UTC, ISO 8601.
    """

    folder: str
    protocol: str
    samples_sha256: str
    command: tuple[Storable, ...] | None
    provenance: Provenance
    at: Moment


class RunInfo(_Info):
    """Everything that is known about a run but its rows.

    Attributes:
        format: version of the run folder's format.
        team: who is scored.
        submission: what was scored.
        protocol: by which rules.
        specs: the metrics, in column order.
        testset: against which test set.
        weights: sha256 of every weight file in use, by name.
        random_weights: seed where networks had random weights, else None.
        decoder: library and versions that decoded the videos.
        limits: what each decoder process was allowed to use.
        budget: what the submission's videos were allowed to cost; None where that was not recorded.
        confinement: how each was confined; None where that was not recorded.
        device: where the networks ran.
        workers: the processes that ran them; None where the command itself did.
        provenance: software and machine.
        command: the command line, None where the Python API was used.
        started: start of the first session, UTC, ISO 8601.
        finished: end of the session that finished the run, None while samples are pending.
        seconds: wall time of all samples together.
        counts: how many samples came how far.
        rescored: the run this one was recombined from; None for a run that was measured.
        verdicts: what `ipvg-eval doctor` had found, on the machine that measured, of each metric with these
            weights and packages; empty in runs of versions that did not ask.
    """

    format: Literal[1] = 1
    team: TeamName
    submission: SubmissionInfo
    protocol: ProtocolInfo
    specs: tuple[MetricSpec, ...]
    testset: TestSetInfo
    weights: dict[str, str]
    random_weights: int | None
    decoder: str
    limits: ProcessLimits
    device: DeviceInfo
    provenance: Provenance
    command: tuple[Storable, ...] | None
    started: Moment
    finished: Moment | None
    seconds: float
    counts: Counts
    budget: Budget | None = None
    confinement: Confinement | None = None
    workers: WorkersInfo | None = None
    rescored: RescoredInfo | None = None
    verdicts: dict[str, Verdict] = Field(default_factory=dict)

    @property
    def metrics(self) -> tuple[MetricSpec, ...]:
        """Every metric of the run: of each sample, the weighted sums, and of the whole submission."""
        return (*self.sample_metrics, *self.protocol.corpus)

    @property
    def sample_metrics(self) -> tuple[MetricSpec, ...]:
        """What every sample has a value of or misses: its metrics and their weighted sums."""
        return (*self.specs, *(_spec(combination) for combination in self.protocol.combined))

    @property
    def derived(self) -> frozenset[str]:
        """Names of the metrics that are computed from others."""
        return frozenset(metric.name for metric in self.metrics[len(self.specs) :])


def _spec(combination: Combination) -> MetricSpec:
    """A weighted sum, over the samples that have all its terms, as a metric."""
    terms = " + ".join(f"{weight:g} {name}" for name, weight in combination.weights.items())
    return MetricSpec(
        name=combination.name,
        version=1,
        title=combination.title,
        higher_is_better=combination.higher_is_better,
        bounds=(None, None),
        summary=f"{terms}, over the samples that have every term.",
        source=combination.source,
    )
