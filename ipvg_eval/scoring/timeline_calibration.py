"""What the timeline metrics say of real videos: with their true timelines, and with wrong ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ipvg_eval.core.errors import UsageError
from ipvg_eval.core.timeline import Event
from ipvg_eval.metrics.device import resolve_device
from ipvg_eval.metrics.evaluator import Evaluator
from ipvg_eval.metrics.protocols.loading import load_protocol
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.timeline.configuration import TimelineAlignmentOptions
from ipvg_eval.metrics.timeline.evaluator import TimelineAlignment
from ipvg_eval.metrics.timeline.reactid_data import AnnotatedVideo
from ipvg_eval.metrics.timeline.spec import SEM, SUCCESS, TIM
from ipvg_eval.metrics.weights import weight_source
from ipvg_eval.video import decode, index_frames

METRICS = (TIM, SEM, SUCCESS)

Events = tuple[Event, ...]


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Means over videos of one kind of timeline.

    Attributes:
        timeline: which kind.
        means: by metric; None where no video has a value.
        counts: videos with a value, by metric.
    """

    timeline: str
    means: Mapping[str, float | None]
    counts: Mapping[str, int]


def shuffled(events: Events) -> Events:
    """The same times, the actions in reverse order."""
    texts = [event.description for event in reversed(events)]
    return tuple(replace(event, description=text) for event, text in zip(events, texts, strict=True))


def shifted(events: Events) -> Events:
    """The actions one place on, the last one first: as if the video had started elsewhere."""
    texts = [event.description for event in events]
    turned = [*texts[-1:], *texts[:-1]]
    return tuple(replace(event, description=text) for event, text in zip(events, turned, strict=True))


TIMELINES: Mapping[str, Callable[[Events], Events]] = {
    "real": lambda events: events,
    "order reversed": shuffled,
    "shifted by one event": shifted,
}


def timeline_evaluator(
    protocol: str, *, device: str = "auto", weights: str | None = None
) -> TimelineAlignment:
    """A protocol's timeline metrics, without subjects and VideoScore: there are no references.

    Args:
        protocol: name of a shipped protocol or path of a .yaml file.
        device: "auto", "cpu", "cuda" or "cuda:N".
        weights: None for the published weights, "random:SEED" for seeded random ones.

    Raises:
        UsageError: the protocol has no timeline metrics.
        ProtocolError: it is not understood.
        WeightsMissing: weights are not on this machine.
    """
    loaded = load_protocol(protocol)
    options = next(
        (part.options for part in loaded.parts if isinstance(part.options, TimelineAlignmentOptions)), None
    )
    if options is None:
        raise UsageError(
            f"protocol {loaded.definition.name!r} has no timeline metrics", hint="Choose ipvg-track2."
        )
    options = options.model_copy(update={"subject": None, "video_score": False})
    source = weight_source(weights).resolve(TimelineAlignment.required_weights(options))
    return TimelineAlignment(options, Runtime(device=resolve_device(device), weights=source))


def calibrate(evaluator: Evaluator, videos: Sequence[AnnotatedVideo]) -> list[Calibration]:
    """Measure every video against its own timeline and against wrong ones."""
    found = {name: [*_measured(evaluator, videos, change)] for name, change in TIMELINES.items()}
    results = []
    for name, rows in found.items():
        values = {
            one.name: [value for row in rows if (value := row[one.name]) is not None] for one in METRICS
        }
        means = {key: float(np.mean(some)) if some else None for key, some in values.items()}
        results.append(
            Calibration(timeline=name, means=means, counts={key: len(some) for key, some in values.items()})
        )
    return results


def _measured(
    evaluator: Evaluator, videos: Sequence[AnnotatedVideo], change: Callable[[Events], Events]
) -> Iterator[dict[str, float | None]]:
    for one in videos:
        index = index_frames(one.video)
        looking = evaluator.start(one.target(change(one.events)), index.clip)
        with decode(one.video, evaluator.frames(index.clip), index=index) as decoding:
            for part in decoding:
                looking.add(part.indices, part.frames)
        values = {measurement.name: measurement.value for measurement in looking.finish()}
        yield {metric.name: values.get(metric.name) for metric in METRICS}
