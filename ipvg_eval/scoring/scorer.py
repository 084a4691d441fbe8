"""A protocol with its networks loaded, ready to measure any number of submissions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from ipvg_eval.core.run import DeviceInfo
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.device import device_name, make_deterministic, require_compiler, resolve_device
from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.evaluator import Evaluator
from ipvg_eval.metrics.protocols.loading import LoadedProtocol, load_protocol
from ipvg_eval.metrics.runtime import DEFAULT_BATCH_SIZE, Dtype, Runtime, WeightSource
from ipvg_eval.metrics.weights import weight_source
from ipvg_eval.results.provenance import collect_provenance
from ipvg_eval.scoring.facts import ScorerFacts, parts_suited_to, protocol_suited_to
from ipvg_eval.testset.model import TestSet
from ipvg_eval.video import decoder_version


@dataclass(frozen=True, kw_only=True, eq=False)
class Scorer:
    """Evaluators built once and shared by every video.

    Attributes:
        protocol: the rules.
        runtime: where the networks run.
        evaluators: the evaluators, networks loaded.
    """

    protocol: LoadedProtocol
    runtime: Runtime
    evaluators: tuple[Evaluator, ...]

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
    def facts(self) -> ScorerFacts:
        """What a run records of it."""
        weights = self.runtime.weights
        return ScorerFacts(
            protocol=self.protocol,
            weights_of_parts=tuple(dict(evaluator.weights) for evaluator in self.evaluators),
            notices_of_parts=tuple(getattr(evaluator, "notice", None) for evaluator in self.evaluators),
            weights_seed=None if weights is None else weights.random_seed,
            device_info=self._device_info(),
            decoder=decoder_version(),
            provenance=collect_provenance(),
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


@dataclass(frozen=True, kw_only=True)
class ScorerRecipe:
    """Everything a scorer is built from, so that it can be built here or in another process.

    Attributes:
        protocol: the rules, checked.
        device: "auto", "cpu", "cuda" or "cuda:N", of the machine it is built on.
        dtype: floating-point type of the networks.
        weights: None for the published weights, "random" or "random:SEED" for seeded random ones.
        deterministic: have torch give the same bits every time, also on a GPU.
        batch_size: frames per forward pass, at most.
        compiled: have torch compile the repeated blocks of transformers.
    """

    protocol: LoadedProtocol
    device: str = "auto"
    dtype: Dtype = "float32"
    weights: str | None = None
    deterministic: bool = False
    batch_size: int = DEFAULT_BATCH_SIZE
    compiled: bool = False

    def build(self) -> Scorer:
        """Load every network.

        Raises:
            DeviceUnavailable: there is no such device here.
            WeightsMissing: weights are not on this machine; all that are missing are named.
        """
        return build_loaded(
            self.protocol,
            device=self.device,
            dtype=self.dtype,
            weights=self.weights,
            deterministic=self.deterministic,
            batch_size=self.batch_size,
            compiled=self.compiled,
        )


def build_scorer(
    protocol: str,
    *,
    metrics: Iterable[str] | None = None,
    device: str = "auto",
    dtype: Dtype = "float32",
    weights: str | None = None,
    frames: int | None = None,
    deterministic: bool = False,
    batch_size: int = DEFAULT_BATCH_SIZE,
    compiled: bool = False,
) -> Scorer:
    """Load a protocol and every network it needs.

    Args:
        protocol: name of a shipped protocol or path of a .yaml file.
        metrics: the metrics to measure; all of the protocol's where None.
        device: "auto", "cpu", "cuda" or "cuda:N".
        dtype: floating-point type of the networks.
        weights: None for the published weights, "random" or "random:SEED" for seeded random ones.
        frames: look at so many frames of a video only, for a quick try; None for the protocol's own rule.
        deterministic: have torch give the same bits every time, also on a GPU.
        batch_size: frames per forward pass, at most.
        compiled: have torch compile the repeated blocks of transformers, which may move last digits.

    Raises:
        ProtocolError: the protocol or a metric name is not understood.
        DeviceUnavailable: there is no such device here, or torch cannot compile for it.
        WeightsMissing: weights are not on this machine; all that are missing are named.
    """
    loaded = choose_protocol(protocol, metrics=metrics, frames=frames)
    return build_loaded(
        loaded,
        device=device,
        dtype=dtype,
        weights=weights,
        deterministic=deterministic,
        batch_size=batch_size,
        compiled=compiled,
    )


def build_loaded(
    protocol: LoadedProtocol,
    *,
    device: str = "auto",
    dtype: Dtype = "float32",
    weights: str | None = None,
    deterministic: bool = False,
    batch_size: int = DEFAULT_BATCH_SIZE,
    compiled: bool = False,
) -> Scorer:
    """Load every network that a loaded protocol needs; see `build_scorer`.

    Raises:
        DeviceUnavailable: there is no such device here, or torch cannot compile for it.
        WeightsMissing: weights are not on this machine; all that are missing are named.
    """
    if deterministic:
        make_deterministic()
    source = _resolve(weights, protocol.required_weights(), protocol.optional_weights())
    found = resolve_device(device)
    if compiled:
        require_compiler(found)
    runtime = Runtime(
        device=found,
        dtype=dtype,
        weights=source,
        batch_size=batch_size,
        crossing=found.startswith("cuda"),
        compiled=compiled,
    )
    return Scorer(protocol=protocol, runtime=runtime, evaluators=protocol.build(runtime))


def choose_protocol(
    protocol: str, *, metrics: Iterable[str] | None = None, frames: int | None = None
) -> LoadedProtocol:
    """A protocol, cut down to what is asked for; see `build_scorer`."""
    loaded = load_protocol(protocol)
    if metrics is not None:
        loaded = loaded.select(metrics)
    if frames is not None:
        loaded = loaded.with_budget(frames)
    return loaded


def _resolve(weights: str | None, names: tuple[str, ...], optional: tuple[str, ...]) -> WeightSource:
    try:
        return weight_source(weights).resolve(names, optional=optional)
    except WeightsMissing as error:
        hint = f"{error.hint}\nProtocol lite needs none of them: --protocol lite"
        raise WeightsMissing(str(error), hint=hint) from error
