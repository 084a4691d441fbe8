"""run.json: what was scored, by what, and when."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from ipvg_eval.results.aggregate import Counts
from ipvg_eval.results.provenance import Provenance
from metrics.combination import Combination
from metrics.spec import MetricSpec


class _Info(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ProtocolInfo(_Info):
    """The protocol of a run, with its full text and what it computes from the rows."""

    name: str
    version: int
    sha256: str
    official: bool
    notice: str
    text: str
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
    """Where the networks ran."""

    device: str
    name: str
    dtype: str
    threads: int


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
        device: where the networks ran.
        provenance: software and machine.
        command: the command line, None where the Python API was used.
        started: start of the first session, UTC, ISO 8601.
        finished: end of the session that finished the run, None while samples are pending.
        seconds: wall time of all samples together.
        counts: how many samples came how far.
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
    device: DeviceInfo
    provenance: Provenance
    command: tuple[str, ...] | None
    started: str
    finished: str | None
    seconds: float
    counts: Counts

    @property
    def comparable(self) -> dict[str, str]:
        """The facts that two runs must share for their numbers to be compared, by name."""
        return {
            "protocol": f"{self.protocol.name} {self.protocol.version} ({self.protocol.sha256[:12]})",
            "metrics": ", ".join(f"{spec.name} v{spec.version}" for spec in self.specs),
            "test set": self.testset.fingerprint,
            "weights": ", ".join(f"{name} {sha}" for name, sha in sorted(self.weights.items())),
            "random weights": str(self.random_weights),
            "decoder": self.decoder,
            "device type": self.device.device.partition(":")[0],
            "dtype": self.device.dtype,
        }


def differences(one: RunInfo, other: RunInfo) -> dict[str, tuple[str, str]]:
    """The comparable facts in which two runs differ, with both values; empty if they can be compared."""
    left, right = one.comparable, other.comparable
    return {name: (left[name], right[name]) for name in left if left[name] != right[name]}
