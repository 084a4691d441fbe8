"""Are a protocol's numbers right on this machine?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ipvg_eval.core.errors import IpvgError
from ipvg_eval.core.packages import working_packages
from ipvg_eval.core.verdict import Verdict
from ipvg_eval.doctor.goldens import GOLDENS, INPUTS, Golden
from ipvg_eval.doctor.measuring import SAMPLE, measure, sample_target
from ipvg_eval.metrics.evaluator import Evaluator
from ipvg_eval.metrics.protocols.loading import LoadedProtocol, Part
from ipvg_eval.metrics.registry import evaluator_class
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.target import Target
from ipvg_eval.metrics.weights import WeightStore

IDENTITY = {"cur_score": 0.2, "arc_score": 0.2, "lite_identity": 0.02}
"""How much more a person's own picture must be like the clip than another person's."""


@dataclass(frozen=True, kw_only=True)
class CheckedNumber:
    """What was found of one metric.

    Attributes:
        metric: its name.
        verdict: None where it cannot be measured here.
        detail: the numbers, or why it cannot.
        hint: what to do, or None.
        weights: sha256 of the weights in use, by name.
    """

    metric: str
    verdict: Verdict | None
    detail: str
    hint: str | None = None
    weights: Mapping[str, str]


def check_numbers(
    protocol: LoadedProtocol,
    *,
    device: str,
    store: WeightStore,
    inputs: WeightStore | None = None,
    goldens: Iterable[Golden] = GOLDENS,
) -> list[CheckedNumber]:
    """Measure the sample with every evaluator of a protocol, and the files of published numbers.

    Args:
        protocol: which metrics.
        device: "cpu" or "cuda:N".
        store: where weights are looked for.
        inputs: where the files of published numbers are looked for; as weights are where left out.
        goldens: the published numbers.
    """
    inputs = inputs or WeightStore(table=INPUTS)
    published = list(goldens)
    return [
        checked
        for part in protocol.parts
        for checked in _check_part(part, device=device, store=store, inputs=inputs, goldens=published)
    ]


def _check_part(
    part: Part, *, device: str, store: WeightStore, inputs: WeightStore, goldens: list[Golden]
) -> list[CheckedNumber]:
    names = [spec.name for spec in part.specs]
    try:
        with working_packages():
            evaluator = part.build(_runtime(part, device, store))
            own = measure(evaluator, SAMPLE / "clip.mp4", sample_target("own.webp"))
            other = (
                measure(evaluator, SAMPLE / "clip.mp4", sample_target("other.webp"))
                if IDENTITY.keys() & own.keys()
                else {}
            )
    except IpvgError as error:
        return [
            CheckedNumber(metric=name, verdict=None, detail=str(error), hint=error.hint, weights={})
            for name in names
        ]
    found = []
    for name in names:
        verdict, detail = _judge_sample(name, own[name], other.get(name))
        golden = next((g for g in goldens if g.metric == name and g.evaluator == part.entry.kind), None)
        if golden is not None and verdict is not Verdict.WRONG:
            verdict, detail = _judge_golden(golden, device=device, store=store, inputs=inputs, detail=detail)
        weights = dict(evaluator.weights)
        found.append(CheckedNumber(metric=name, verdict=verdict, detail=detail, weights=weights))
    return found


def _runtime(part: Part, device: str, store: WeightStore) -> Runtime:
    weights = store.resolve(part.required_weights(), optional=part.optional_weights())
    return Runtime(device=device, weights=weights)


def _built(cls: type[Evaluator], options: object, *, device: str, store: WeightStore) -> Evaluator:
    weights = store.resolve(cls.required_weights(options), optional=cls.optional_weights(options))
    return cls(options, Runtime(device=device, weights=weights))


def _judge_sample(metric: str, own: float | None, other: float | None) -> tuple[Verdict, str]:
    recorded: dict[str, list[float]] = json.loads((SAMPLE / "recorded.json").read_text("utf-8"))
    if own is None:
        wrong = metric in recorded or metric in IDENTITY
        return (Verdict.WRONG if wrong else Verdict.UNCHECKED), "no value on the sample"
    detail = f"{own:.4f} on the sample"
    if metric in recorded:
        expected, tolerance = recorded[metric]
        detail += f", recorded {expected:.4f}"
        if abs(own - expected) > tolerance:
            return Verdict.WRONG, detail
    if metric in IDENTITY and other is not None:
        detail += f", {other:.4f} against another face"
        if own - other < IDENTITY[metric]:
            return Verdict.WRONG, detail
    return Verdict.UNCHECKED, detail


def _judge_golden(
    golden: Golden, *, device: str, store: WeightStore, inputs: WeightStore, detail: str
) -> tuple[Verdict, str]:
    look_up = inputs.look_up(golden.video)
    if look_up.found is None:
        return Verdict.UNCHECKED, f"{detail}; {look_up.weight.file_name} is not here (--pull)"
    cls = evaluator_class(golden.evaluator)
    try:
        options = cls.Options.model_validate(dict(golden.options))
        evaluator = _built(cls, options, device=device, store=store)
        # Goldens need a target, and those declared have no reference of their own.
        target = Target(
            sample_id="golden", references=sample_target("own.webp").references, prompt=golden.prompt
        )
        value = measure(evaluator, look_up.found.path, target)[golden.metric]
    except IpvgError as error:
        return Verdict.UNCHECKED, f"{detail}; the published number needs more: {error}"
    detail += f"; {'no value' if value is None else f'{value:.5f}'}, published {golden.value:.5f}"
    off = value is None or abs(value - golden.value) > golden.tolerance
    return (Verdict.WRONG if off else Verdict.REPRODUCES), detail
