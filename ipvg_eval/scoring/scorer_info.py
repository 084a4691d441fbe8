"""What a run records of the scorer that measured it, here or on another machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ipvg_eval.core.limits import Confinement
from ipvg_eval.core.run import DeviceInfo, ProtocolInfo, Provenance
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.protocols.loading import LoadedProtocol
from ipvg_eval.testset.model import TestSet


@dataclass(frozen=True, kw_only=True)
class ScorerInfo:
    """Everything about a scorer but its networks; small, and the same wherever it is read.

    Attributes:
        protocol: the rules.
        weights_of_parts: for each of the protocol's evaluators, sha256 of its weight files by name.
        notices_of_parts: for each of them what every output of the run must say, or None.
        weights_seed: seed for random weights, None for the published ones.
        device_info: the device.
        decoder: library and versions that decode the videos.
        provenance: software and machine.
        confinement: of the processes that decode for it; None where none has been started yet.
    """

    protocol: LoadedProtocol
    weights_of_parts: tuple[Mapping[str, str], ...]
    notices_of_parts: tuple[str | None, ...]
    weights_seed: int | None
    device_info: DeviceInfo
    decoder: str
    provenance: Provenance
    confinement: Confinement | None = None

    def suited_to(self, testset: TestSet) -> ScorerInfo:
        """What is recorded of the same scorer once it is suited to a test set.

        Raises:
            ProtocolError: nothing is left to measure.
        """
        kept = parts_suited_to(self.protocol, testset)
        return replace(
            self,
            protocol=protocol_suited_to(self.protocol, testset),
            weights_of_parts=tuple(self.weights_of_parts[position] for position in kept),
            notices_of_parts=tuple(self.notices_of_parts[position] for position in kept),
        )

    @property
    def specs(self) -> tuple[MetricSpec, ...]:
        """The metrics that are reported, in column order."""
        return self.protocol.specs

    @property
    def weights(self) -> dict[str, str]:
        """sha256 of every weight file in use, by name."""
        return {name: sha for weights in self.weights_of_parts for name, sha in weights.items()}

    @property
    def random_seed(self) -> int | None:
        """Seed of the networks' random weights; None where they are the published ones, or there are none."""
        return self.weights_seed if self.protocol.required_weights() else None

    @property
    def protocol_info(self) -> ProtocolInfo:
        """The protocol as a run records it."""
        notices = [notice for notice in self.notices_of_parts if notice is not None]
        return describe_protocol(self.protocol, self.random_seed, notices)


def protocol_suited_to(protocol: LoadedProtocol, testset: TestSet) -> LoadedProtocol:
    """A protocol without what needs timelines, where a test set has none.

    Raises:
        ProtocolError: nothing is left to measure.
    """
    return protocol.suited_to(timelines=_has_timelines(testset))


def parts_suited_to(protocol: LoadedProtocol, testset: TestSet) -> tuple[int, ...]:
    """Positions of the protocol's evaluators that `protocol_suited_to` keeps."""
    timelines = _has_timelines(testset)
    parts = enumerate(protocol.parts)
    return tuple(position for position, part in parts if timelines or part.entry.needs is None)


def _has_timelines(testset: TestSet) -> bool:
    return any(sample.timeline is not None for sample in testset.samples)


def describe_protocol(
    protocol: LoadedProtocol, random_seed: int | None, notices: Iterable[str] = ()
) -> ProtocolInfo:
    """A protocol as a run records it.

    Args:
        protocol: the rules.
        random_seed: seed of the networks' random weights, which every output of the run must shout.
        notices: what evaluators add to the protocol's notice.
    """
    definition = protocol.definition
    notice = " ".join(filter(None, (definition.notice, *notices)))
    if random_seed is not None:
        notice = f"RANDOM WEIGHTS (seed {random_seed}): these numbers mean nothing. {notice}".strip()
    return ProtocolInfo(
        name=definition.name,
        version=definition.version,
        sha256=protocol.sha256,
        official=definition.official,
        notice=notice,
        text=protocol.text,
        evaluators=definition.evaluators,
        combined=protocol.combined,
        corpus=tuple(metric.spec for metric in protocol.corpus),
    )
