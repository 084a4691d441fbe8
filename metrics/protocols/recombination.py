"""Which measurements of a finished run make those of another protocol, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ipvg_eval.core.measurement import Measurement
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.errors import ProtocolError
from ipvg_eval.metrics.protocols.loading import LoadedProtocol, Part
from ipvg_eval.metrics.rescoring import Kept, can_rescore, disagreement


@dataclass(frozen=True, kw_only=True)
class Step:
    """How one metric comes about.

    Attributes:
        spec: the metric.
        wanted: the evaluator that would measure it.
        earlier: the run's evaluator of the same kind.
        copied: whether the run's measurement is taken as it is.
    """

    spec: MetricSpec
    wanted: Part
    earlier: Part
    copied: bool

    def measurement(self, kept: Kept) -> Measurement:
        """The metric of one video.

        Raises:
            KeptMissing: embeddings it needs are gone.
        """
        if self.copied:
            return kept.measurements[self.spec.name]
        assert can_rescore(self.wanted.cls)
        return self.wanted.cls.rescore(self.spec.name, self.wanted.options, self.earlier.options, kept)


def plan_recombination(
    wanted: LoadedProtocol, earlier: LoadedProtocol, measured: Mapping[str, int]
) -> tuple[Step, ...]:
    """One step for each metric of a protocol.

    Args:
        wanted: the protocol.
        earlier: the run's protocol.
        measured: version of every metric of the run, by name.

    Raises:
        ProtocolError: some metrics cannot be recombined; every one of them is listed with the reason.
    """
    steps: list[Step] = []
    obstacles: dict[str, str] = {}
    for part in wanted.parts:
        for spec in part.specs:
            found = _step(spec, part, earlier, measured)
            if isinstance(found, Step):
                steps.append(found)
            else:
                obstacles[spec.name] = found
    if obstacles:
        raise cannot_recombine(wanted, obstacles)
    return tuple(steps)


def cannot_recombine(wanted: LoadedProtocol, obstacles: Mapping[str, str]) -> ProtocolError:
    """The error that lists every metric with the reason why it cannot be recombined."""
    lines = "".join(f"\n  {name}: {why}" for name, why in obstacles.items())
    return ProtocolError(
        f"this run cannot be rescored under protocol {wanted.definition.name!r}:{lines}",
        hint="Score the submission under that protocol, or leave these metrics out with --metrics.",
    )


def _step(spec: MetricSpec, part: Part, earlier: LoadedProtocol, measured: Mapping[str, int]) -> Step | str:
    """The step, or why there is none."""
    candidates = [other for other in earlier.parts if other.entry.kind == part.entry.kind]
    why = f"the run has no evaluator {part.entry.kind!r}"
    for other in candidates:
        obstacle = _obstacle(spec, part, other, measured)
        if obstacle is None:
            copied = part.options == other.options and spec.name in _reported(other)
            return Step(spec=spec, wanted=part, earlier=other, copied=copied)
        why = obstacle
    return why


def _obstacle(spec: MetricSpec, part: Part, other: Part, measured: Mapping[str, int]) -> str | None:
    reported = _reported(other)
    # An evaluator that recombines knows the versions that its own options name.
    own = {one.name: one.version for one in other.specs} if can_rescore(part.cls) else {}
    if measured.get(spec.name, spec.version) not in (spec.version, own.get(spec.name)):
        return f"the run has version {measured[spec.name]}, this is version {spec.version}"
    if part.options == other.options and spec.name in reported:
        return None
    if can_rescore(part.cls):
        return part.cls.cannot_rescore(spec.name, part.options, other.options, reported)
    if spec.name not in reported:
        return f"the run did not measure {spec.name}"
    return disagreement(part.options, other.options, type(part.options).model_fields)


def _reported(part: Part) -> frozenset[str]:
    return frozenset(spec.name for spec in part.specs)
