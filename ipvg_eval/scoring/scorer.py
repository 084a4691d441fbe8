"""A protocol with its networks loaded, ready to measure any number of submissions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ipvg_eval.core.run import DeviceInfo
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.device import device_name
from ipvg_eval.metrics.evaluator import Evaluator
from ipvg_eval.metrics.protocols.loading import LoadedProtocol
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.results.provenance import collect_provenance
from ipvg_eval.scoring.companions import DrivingSounds, heard
from ipvg_eval.scoring.scorer_info import ScorerInfo, parts_suited_to, protocol_suited_to
from ipvg_eval.testset.model import TestSet
from ipvg_eval.video import decoder_version


@dataclass(frozen=True, kw_only=True, eq=False)
class Scorer:
    """Evaluators built once and shared by every video.

    Attributes:
        protocol: the rules.
        runtime: where the networks run.
        evaluators: the evaluators, networks loaded.
        driving: the driving sounds that were heard so far.
    """

    protocol: LoadedProtocol
    runtime: Runtime
    evaluators: tuple[Evaluator, ...]
    driving: DrivingSounds = field(default_factory=DrivingSounds, repr=False)

    def suited_to(self, testset: TestSet) -> Scorer:
        """The same scorer without what needs timelines, where a test set has none.

        Raises:
            ProtocolError: nothing is left to measure.
        """
        kept = parts_suited_to(self.protocol, testset)
        return replace(
            self,
            protocol=protocol_suited_to(self.protocol, testset),
            evaluators=tuple(self.evaluators[position] for position in kept),
        )

    @property
    def specs(self) -> tuple[MetricSpec, ...]:
        """The metrics that are reported, in column order."""
        return self.protocol.specs

    @property
    def info(self) -> ScorerInfo:
        """What a run records of it."""
        weights = self.runtime.weights
        return ScorerInfo(
            protocol=self.protocol,
            weights_of_parts=tuple(dict(evaluator.weights) for evaluator in self.evaluators),
            notices_of_parts=tuple(getattr(evaluator, "notice", None) for evaluator in self.evaluators),
            weights_seed=None if weights is None else weights.random_seed,
            device_info=self._device_info(),
            decoder=decoder_version(sound=bool(heard(self.evaluators))),
            provenance=collect_provenance({p.package: p.version for p in self.protocol.packages}),
        )

    def _device_info(self) -> DeviceInfo:
        import torch

        return DeviceInfo(
            device=self.runtime.device,
            name=device_name(self.runtime.device),
            dtype=self.runtime.dtype,
            threads=torch.get_num_threads(),
            deterministic=torch.are_deterministic_algorithms_enabled(),
            batch_size=self.runtime.batch_size,
            compiled=self.runtime.compiled,
            on_the_cpu=tuple(self.runtime.fallbacks),
        )
