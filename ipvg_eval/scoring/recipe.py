"""How a submission is measured, in one object that can be built here or sent to a worker."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ipvg_eval.metrics.device import make_deterministic, require_compiler, resolve_device
from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.protocols import DEFAULT_PROTOCOL
from ipvg_eval.metrics.protocols.definition import shipped_protocols
from ipvg_eval.metrics.protocols.loading import LoadedProtocol, load_protocol
from ipvg_eval.metrics.runtime import DEFAULT_BATCH_SIZE, Dtype, Runtime
from ipvg_eval.metrics.weights import weight_source
from ipvg_eval.scoring.scorer import Scorer


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that a scorer is built from.

    Attributes:
        protocol: name of a shipped protocol, path of a .yaml file, or a protocol that is loaded.
        metrics: the metrics to measure; all of the protocol's where None.
        frames: look at so many frames of a video only, for a quick try; None for the protocol's own rule.
        device: "auto", "cpu", "cuda" or "cuda:N", of the machine it is built on.
        dtype: floating-point type of the networks.
        weights: None for the published weights, "random" or "random:SEED" for seeded random ones.
        deterministic: have torch give the same bits every time, also on a GPU; slower.
        batch_size: frames per forward pass, at most.
        compiled: have torch compile the repeated blocks of transformers, which may move last digits.
    """

    protocol: str | LoadedProtocol = DEFAULT_PROTOCOL
    metrics: Sequence[str] | None = None
    frames: int | None = None
    device: str = "auto"
    dtype: Dtype = "float32"
    weights: str | None = None
    deterministic: bool = False
    batch_size: int = DEFAULT_BATCH_SIZE
    compiled: bool = False

    def load_protocol(self) -> LoadedProtocol:
        """The protocol, cut down to what is asked for.

        Raises:
            ProtocolError: the protocol or a metric name is not understood.
        """
        loaded = load_protocol(self.protocol) if isinstance(self.protocol, str) else self.protocol
        if self.metrics is not None:
            loaded = loaded.select(self.metrics)
        if self.frames is not None:
            loaded = loaded.with_budget(self.frames)
        return loaded

    def loaded(self) -> Recipe:
        """The same with its protocol loaded, so that whoever builds it needs no file of this machine.

        Raises:
            ProtocolError: as `load_protocol`.
        """
        return replace(self, protocol=self.load_protocol(), metrics=None, frames=None)

    def build(self) -> Scorer:
        """Load every network.

        Raises:
            ProtocolError: as `load_protocol`.
            DeviceUnavailable: there is no such device here, or torch cannot compile for it.
            WeightsMissing: weights are not on this machine; all that are missing are named.
        """
        protocol = self.load_protocol()
        if self.deterministic:
            make_deterministic()
        try:
            weights = weight_source(self.weights, protocol.weight_table).resolve(
                protocol.required_weights(), optional=protocol.optional_weights()
            )
        except WeightsMissing as error:
            whole = self.metrics is None and protocol.definition.name in shipped_protocols()
            fetch = f"weights pull --protocol {protocol.definition.name}"
            said = re.sub("weights pull .+", fetch, error.hint or "", count=1) if whole else error.hint
            hint = f"{said}\nProtocol lite needs none of them: --protocol lite"
            raise WeightsMissing(str(error), hint=hint) from error
        device = resolve_device(self.device)
        if self.compiled:
            require_compiler(device)
        runtime = Runtime(
            device=device,
            dtype=self.dtype,
            weights=weights,
            batch_size=self.batch_size,
            crossing=device.startswith("cuda"),
            compiled=self.compiled,
        )
        return Scorer(protocol=protocol, runtime=runtime, evaluators=protocol.build(runtime))
