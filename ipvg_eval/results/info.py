"""run.json: what was scored, by what, and when."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from ipvg_eval.core.combination import Combination
from ipvg_eval.core.measurement import SUBMISSION_FILE
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.protocols.definition import EvaluatorEntry
from ipvg_eval.results.aggregate import Counts
from ipvg_eval.results.provenance import Provenance
from ipvg_eval.sandbox.limits import ProcessLimits


class _Info(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


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

    name: str
    layout: str
    track: str
    samples: int
    identities: int
    fingerprint: str


class SubmissionInfo(_Info):
    """The submission of a run: its file or folder name and whether it was a zip."""

    name: str
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
    command: tuple[str, ...] | None
    provenance: Provenance
    at: str


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
        device: where the networks ran.
        workers: the processes that ran them; None where the command itself did.
        provenance: software and machine.
        command: the command line, None where the Python API was used.
        started: start of the first session, UTC, ISO 8601.
        finished: end of the session that finished the run, None while samples are pending.
        seconds: wall time of all samples together.
        counts: how many samples came how far.
        rescored: the run this one was recombined from; None for a run that was measured.
    """

    format: Literal[1] = 1
    team: str
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
    command: tuple[str, ...] | None
    started: str
    finished: str | None
    seconds: float
    counts: Counts
    workers: WorkersInfo | None = None
    rescored: RescoredInfo | None = None

    @property
    def comparable(self) -> dict[str, str]:
        """The facts that two runs must share for their numbers to be compared, by name."""
        return {
            "protocol": f"{self.protocol.name} {self.protocol.version} ({self.protocol.sha256[:12]})",
            "metrics": ", ".join(f"{spec.name} v{spec.version}" for spec in self.specs),
            "test set": self.testset.fingerprint,
            "weights": _listed(self.weights, files=False),
            "random weights": str(self.random_weights),
            "decoder": self.decoder,
            "device type": self.device.device.partition(":")[0],
            "dtype": self.device.dtype,
        }


def _listed(weights: dict[str, str], *, files: bool) -> str:
    """Names and hashes of the weights, or of the files about the submission."""
    chosen = [f"{n} {sha}" for n, sha in sorted(weights.items()) if n.startswith(SUBMISSION_FILE) is files]
    return ", ".join(chosen) or "none"


def differences(one: RunInfo, other: RunInfo) -> dict[str, tuple[str, str]]:
    """The comparable facts in which two runs differ, with both values; empty if they can be compared."""
    return _different(one.comparable, other.comparable)


def obstacles(begun: RunInfo, now: RunInfo) -> dict[str, tuple[str, str]]:
    """Why a run that was begun cannot be gone on with, with both values; empty if it can."""
    pairs = [
        {
            "team": run.team,
            **run.comparable,
            "files about the submission": _listed(run.weights, files=True),
        }
        for run in (begun, now)
    ]
    return _different(pairs[0], pairs[1])


def _different(left: dict[str, str], right: dict[str, str]) -> dict[str, tuple[str, str]]:
    return {name: (left[name], right[name]) for name in left if left[name] != right[name]}
