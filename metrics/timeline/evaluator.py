"""Does a video do what its timeline says, when it says it? From one pass over its frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from metrics.errors import ProtocolError
from metrics.evaluator import ClipInfo, Frames, Measurement, Pass
from metrics.runtime import Runtime
from metrics.spec import MetricSpec
from metrics.target import Target
from metrics.timeline.check import video_problems
from metrics.timeline.judging import FROZEN, Case, judge
from metrics.timeline.measurements import Seen, measurements
from metrics.timeline.model import Problem, Timeline
from metrics.timeline.open_clip_encoder import OpenClipEncoder, weight_name
from metrics.timeline.parse import parse_timeline
from metrics.timeline.prototypes import PrototypeEncoder
from metrics.timeline.sampling import Samples, sample
from metrics.timeline.scorer import EmbeddingScorer, TextVideoScorer, Viewing
from metrics.timeline.spec import EVENTS, EXCESS, SPECS

_LONGEST = 3600.0
"""Seconds a timeline may last; what is longer is in another unit, or no timeline of a video clip."""

_PE_CORE_LICENCE = "PE-Core weights: Apache-2.0 (Meta)"

_WITHOUT_WEIGHTS = frozenset({EVENTS.name, EXCESS.name})


class TimelineAlignmentOptions(BaseModel):
    """Rules of the timeline metrics.

    Attributes:
        scorer: "open_clip" for a text-image model, "prototypes" for example pictures of every text, which
            needs no weights and proves nothing about actions.
        model: open_clip's name of the model.
        examples: JSON file of the prototypes: every text with its picture files.
        rate: frames looked at per second of video.
        frame_limit: frames looked at per video, at most.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scorer: Literal["open_clip", "prototypes"] = "open_clip"
    model: str = "PE-Core-L-14-336"
    examples: Path | None = None
    rate: float = Field(default=4.0, gt=0, le=60)
    frame_limit: int = Field(default=240, ge=1)


class TimelineAlignment:
    """Measures the metrics of `metrics.timeline.spec`, four frames per second unless told otherwise.

    Attributes:
        specs: all of them, with the scorer's weights.
        weights: sha256 of the scorer's weight file; empty for prototypes.
    """

    Options = TimelineAlignmentOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = SPECS
    BUDGET: ClassVar[str] = "frame_limit"

    specs: tuple[MetricSpec, ...]
    weights: Mapping[str, str]

    def __init__(
        self, options: TimelineAlignmentOptions, runtime: Runtime, *, scorer: TextVideoScorer | None = None
    ) -> None:
        """Load the scorer.

        Args:
            options: the rules.
            runtime: device and weights.
            scorer: use this one instead of the one the options name.

        Raises:
            ProtocolError: prototypes without examples, or a model that open_clip does not have.
            WeightsMissing: the model's weights are not here.
        """
        self._options = options
        self._scorer = scorer or _scorer(options, runtime)
        self.specs = self.specs_for(options)
        self.weights = self._scorer.weights

    @classmethod
    def specs_for(cls, options: TimelineAlignmentOptions) -> tuple[MetricSpec, ...]:
        """All of them; those that come from example pictures are proxies."""
        needed = cls.required_weights(options)
        proxy = options.scorer == "prototypes"
        licence = _PE_CORE_LICENCE if not proxy and options.model.startswith("PE-Core") else ""
        return tuple(
            spec
            if spec.name in _WITHOUT_WEIGHTS
            else replace(spec, weights=needed, proxy=proxy, licence=licence)
            for spec in SPECS
        )

    @staticmethod
    def required_weights(options: TimelineAlignmentOptions) -> tuple[str, ...]:
        """The open_clip model's weights; none for prototypes."""
        return (weight_name(options.model),) if options.scorer == "open_clip" else ()

    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """Frames at an even rate."""
        return self._samples(clip).wanted

    def _samples(self, clip: ClipInfo) -> Samples:
        return sample(clip, self._options.rate, self._options.frame_limit)

    def start(self, target: Target, clip: ClipInfo) -> Pass:
        """Begin one video.

        Raises:
            MetricsError: the scorer does not understand an action's text.
        """
        if target.timeline is None:
            return _NoPass(self.specs, "the sample has no timeline")
        timeline = parse_timeline(target.timeline)
        if not timeline.events:
            return _NoPass(self.specs, f"the timeline cannot be used: {_told(timeline.problems)}")
        if timeline.end > _LONGEST:
            problems = video_problems(timeline, duration=clip.duration, fps=clip.fps)
            return _NoPass(self.specs, f"the timeline is longer than an hour: {_told(problems)}")
        texts = [event.description for event in timeline.events]
        self._scorer.text_cosines(texts)
        return _TimelinePass(
            specs=self.specs,
            scorer=self._scorer,
            timeline=timeline,
            neutral=neutral_text(target) if self._scorer.knows_neutral_text else None,
            clip=clip,
            samples=self._samples(clip),
        )


def _told(problems: Iterable[Problem]) -> str:
    return "; ".join(problem.message.removesuffix(".") for problem in problems)


def neutral_text(target: Target) -> str:
    """A text that names the subjects and no action."""
    labels = dict.fromkeys(reference.label for reference in target.references if reference.label)
    return f"{' and '.join(labels) or 'someone or something'}, no particular action"


def _scorer(options: TimelineAlignmentOptions, runtime: Runtime) -> TextVideoScorer:
    if options.scorer == "open_clip":
        return EmbeddingScorer(OpenClipEncoder(options.model, runtime), runtime.batch_size)
    if options.examples is None:
        raise ProtocolError(
            "prototypes need example pictures", hint="Set `examples` to a JSON file: text to picture files."
        )
    return EmbeddingScorer(PrototypeEncoder.read(options.examples), runtime.batch_size)


class _NoPass:
    """A video whose sample has no usable timeline."""

    def __init__(self, specs: tuple[MetricSpec, ...], reason: str) -> None:
        self._specs = specs
        self._reason = reason

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        """Nothing is looked at."""

    def finish(self) -> list[Measurement]:
        """Every metric is missing."""
        return [Measurement(name=spec.name, value=None, reason=self._reason) for spec in self._specs]


class _TimelinePass:
    """The measuring of one video; holds one embedding per frame."""

    def __init__(
        self,
        *,
        specs: tuple[MetricSpec, ...],
        scorer: TextVideoScorer,
        timeline: Timeline,
        neutral: str | None,
        clip: ClipInfo,
        samples: Samples,
    ) -> None:
        self._specs = specs
        self._scorer = scorer
        self._timeline = timeline
        self._neutral = neutral
        self._clip = clip
        self._samples = samples
        self._wanted = frozenset(samples.wanted)
        self._viewing: Viewing = scorer.view()

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        """Take the next wanted frames; see `metrics.evaluator.Pass`."""
        for index, frame in zip(indices, frames, strict=True):
            if index in self._wanted:
                self._viewing.add(index, frame)

    def finish(self) -> list[Measurement]:
        """One measurement per spec."""
        footage = self._viewing.finish()
        if not footage.indices:
            return _NoPass(self._specs, "no frame could be read").finish()
        if not np.isfinite(footage.features).all():
            return _NoPass(self._specs, "the network's output is not finite").finish()
        judgement = judge(
            Case(
                footage=footage,
                events=self._timeline.events,
                clip=self._clip,
                samples=self._samples,
                scorer=self._scorer,
                neutral=self._neutral,
            )
        )
        if judgement is None:
            return _NoPass(self._specs, "the video is too short for its timeline").finish()
        seen = Seen(
            judgement=judgement,
            footage=footage,
            clip=self._clip,
            wanted=len(self._wanted),
            end=self._timeline.end,
            notes=self._notes(len(footage.indices), frozen=judgement.frozen),
        )
        return measurements(self._specs, seen)

    def _notes(self, read: int, *, frozen: bool) -> tuple[str, ...]:
        problems = [
            *(p for p in self._timeline.problems if p.severity == "error"),
            *video_problems(self._timeline, duration=self._clip.duration, fps=self._clip.fps),
        ]
        notes = [_told(problems)] if problems else []
        if frozen:
            notes.append(f"the video is frozen: no window differs from its mean (cosine {FROZEN} or more)")
        cut = sum(self._scorer.cut_off(event.description) for event in self._timeline.events)
        if cut:
            notes.append(f"{cut} texts were longer than the model reads and were cut")
        if read < len(self._wanted):
            notes.append(f"{read} of {len(self._wanted)} frames could be read")
        return tuple(notes)
