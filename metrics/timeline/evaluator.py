"""Does a video do what its timeline says, when it says it? From one pass over its frames."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from ipvg_eval.core.measurement import ClipInfo, Measurement
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.core.timeline.check import video_problems
from ipvg_eval.core.timeline.model import summary
from ipvg_eval.core.timeline.parse import parse_timeline
from ipvg_eval.metrics.errors import ProtocolError
from ipvg_eval.metrics.evaluator import Evaluator, Pass
from ipvg_eval.metrics.rescoring import Kept
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.subject.evaluator import SubjectMetrics
from ipvg_eval.metrics.subject.spec import SPECS as SUBJECT_SPECS
from ipvg_eval.metrics.target import Target
from ipvg_eval.metrics.timeline import rescoring
from ipvg_eval.metrics.timeline.alignment.scores import VERSION as FIRST_VERSION
from ipvg_eval.metrics.timeline.configuration import (
    TimelineAlignmentOptions,
    optional_weights,
    required_weights,
    specs_for,
    timeline_specs,
)
from ipvg_eval.metrics.timeline.distractors import distractors_for
from ipvg_eval.metrics.timeline.frame_sampling import Samples, sample
from ipvg_eval.metrics.timeline.passes import JointPass, NoPass, SubjectsPass, Task, TimelinePass
from ipvg_eval.metrics.timeline.presence.judge import PresenceJudge
from ipvg_eval.metrics.timeline.scorers.open_clip_encoder import OpenClipEncoder
from ipvg_eval.metrics.timeline.scorers.prototype_encoder import PrototypeEncoder
from ipvg_eval.metrics.timeline.scorers.text_video_scorer import EmbeddingScorer, TextVideoScorer
from ipvg_eval.metrics.timeline.scorers.xclip.scorer import XClipScorer
from ipvg_eval.metrics.timeline.spec import ATA, SEM, SPECS, TIM, TIM_RESCALED
from ipvg_eval.metrics.timeline.video_score.network import VideoScore
from ipvg_eval.metrics.timeline.video_score.passes import VideoScorePass, video_score_frames
from ipvg_eval.metrics.timeline.video_score.spec import VIDEO_SCORES

_MOST_EVENTS = 256
"""Events of a timeline that are scored at all; memory and time grow with their number."""

_LONGEST = 3600.0
"""Seconds a timeline may last; what is longer is in another unit, or no timeline of a video clip."""


class TimelineAlignment(Evaluator[TimelineAlignmentOptions]):
    """Measures the metrics of `timeline.spec`, and VideoScore's where the options ask for them.

    Attributes:
        specs: all of them, with the networks that these options use.
        weights: sha256 of every network's weights; empty for prototypes.
        notice: what every output of the run must say, or None.
    """

    Options = TimelineAlignmentOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = (*SPECS, *VIDEO_SCORES, *SUBJECT_SPECS)
    BUDGET: ClassVar[str] = "frame_limit"

    specs: tuple[MetricSpec, ...]
    weights: Mapping[str, str]
    notice: str | None

    def __init__(
        self,
        options: TimelineAlignmentOptions,
        runtime: Runtime,
        *,
        scorer: TextVideoScorer | None = None,
        presence: PresenceJudge | None = None,
        video_score: VideoScore | None = None,
        subjects: SubjectMetrics | None = None,
    ) -> None:
        """Load the networks.

        Args:
            options: the rules.
            runtime: device and weights.
            scorer: use this one instead of the one the options name.
            presence: likewise, where the options ask for one.
            video_score: likewise.
            subjects: likewise.

        Raises:
            ProtocolError: prototypes without examples, or a model that open_clip does not have.
            WeightsMissing: a network's weights are not here.
        """
        self._options = options
        self._scorer = scorer or _scorer(options, runtime)
        self._presence: PresenceJudge | None = None
        if options.presence == "vlm":
            self._presence = presence or PresenceJudge.load(options.presence_model, runtime)
        self._video_score: VideoScore | None = None
        if options.video_score:
            self._video_score = video_score or VideoScore.load(runtime)
        self._subjects: SubjectMetrics | None = None
        if (rules := options.subject_rules) is not None:
            self._subjects = subjects or SubjectMetrics(rules, runtime)
        self.notice = self._subjects.notice if self._subjects else None
        self.specs = self.specs_for(options)
        self.weights = {
            **self._scorer.weights,
            **(self._presence.weights if self._presence else {}),
            **(self._video_score.weights if self._video_score else {}),
            **(self._subjects.weights if self._subjects else {}),
        }

    @classmethod
    def as_measured(cls, options: dict[str, Any], versions: Mapping[str, int], /) -> dict[str, Any]:
        """Runs from before there was a second version are of the first."""
        first = any(versions.get(one.name) == FIRST_VERSION for one in (ATA, TIM, SEM, TIM_RESCALED))
        return {**options, "version": 1} if first and "version" not in options else options

    @classmethod
    def specs_for(cls, options: TimelineAlignmentOptions, /) -> tuple[MetricSpec, ...]:
        """All metrics of these options; those that come from example pictures are proxies."""
        return specs_for(options)

    @classmethod
    def required_weights(cls, options: TimelineAlignmentOptions, /) -> tuple[str, ...]:
        """The scorer's weights, and those of the networks that are asked for."""
        return required_weights(options)

    @classmethod
    def optional_weights(cls, options: TimelineAlignmentOptions, /) -> tuple[str, ...]:
        """The subjects' detector, where it is used if it is there."""
        return optional_weights(options)

    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """Frames at an even rate, and those of VideoScore and of the subjects."""
        subjects = self._subjects.frames(clip) if self._subjects else ()
        return tuple(sorted({*self._samples(clip).wanted, *self._video_score_frames(clip), *subjects}))

    def start(self, target: Target, clip: ClipInfo) -> Pass:
        """Begin one video.

        Raises:
            MetricsError: the scorer does not understand an action's text, or a reference is unreadable.
        """
        looking = self._look(target, clip)
        if self._video_score is None and self._subjects is None:
            return looking
        video_score = subjects = None
        if self._video_score is not None:
            video_score = VideoScorePass(
                self._video_score, prompt=target.prompt, wanted=self._video_score_frames(clip)
            )
        if self._subjects is not None:
            subjects = SubjectsPass(self._subjects.start(target, clip), self._subjects.frames(clip))
        return JointPass(looking, video_score, subjects)

    def _look(self, target: Target, clip: ClipInfo) -> TimelinePass | NoPass:
        specs = self.specs[: len(timeline_specs(self._options))]
        if target.timeline is None:
            return NoPass(specs, "the sample has no timeline")
        timeline = parse_timeline(target.timeline)
        if not timeline.events:
            return NoPass(specs, f"the timeline cannot be used: {summary(timeline.problems)}")
        if len(timeline.events) > _MOST_EVENTS:
            return NoPass(specs, f"the timeline has {len(timeline.events)} events, more than {_MOST_EVENTS}")
        if timeline.end > _LONGEST:
            problems = video_problems(timeline, duration=clip.duration, fps=clip.fps)
            return NoPass(specs, f"the timeline is longer than an hour: {summary(problems)}")
        actions = [event.description for event in timeline.events]
        self._scorer.text_cosines(actions)
        two_sided = self._options.version > 1
        return TimelinePass(
            Task(
                specs=specs,
                scorer=self._scorer,
                presence=self._presence,
                timeline=timeline,
                neutral=neutral_text(target) if self._scorer.knows_neutral_text else None,
                distractors=distractors_for(target, actions, self._scorer) if two_sided else None,
                clip=clip,
                samples=self._samples(clip),
            )
        )

    def _samples(self, clip: ClipInfo) -> Samples:
        return sample(clip, self._options.frames_per_second, self._options.frame_limit)

    def _video_score_frames(self, clip: ClipInfo) -> tuple[int, ...]:
        if self._video_score is None:
            return ()
        return video_score_frames(clip.frame_count, self._options.frame_limit)

    @staticmethod
    def cannot_rescore(
        name: str,
        options: TimelineAlignmentOptions,
        earlier: TimelineAlignmentOptions,
        reported: Collection[str],
    ) -> str | None:
        """See `ipvg_eval.metrics.timeline.rescoring.cannot_rescore`."""
        return rescoring.cannot_rescore(name, options, earlier, reported)

    @staticmethod
    def rescore(
        name: str, options: TimelineAlignmentOptions, earlier: TimelineAlignmentOptions, kept: Kept
    ) -> Measurement:
        """See `ipvg_eval.metrics.timeline.rescoring.rescore`.

        Raises:
            KeptMissing: values it needs are gone.
        """
        return rescoring.rescore(name, options, earlier, kept)


def neutral_text(target: Target) -> str:
    """A text that names the subjects and no action."""
    labels = dict.fromkeys(reference.label for reference in target.references if reference.label)
    return f"{' and '.join(labels) or 'someone or something'}, no particular action"


def _scorer(options: TimelineAlignmentOptions, runtime: Runtime) -> TextVideoScorer:
    if options.scorer == "open_clip":
        encoder = OpenClipEncoder(options.scorer_model, runtime)
        return EmbeddingScorer(encoder, runtime.batch_size, crossing=runtime.crossing)
    if options.scorer == "xclip":
        return XClipScorer.load(options.scorer_model, options.scorer_weights[0], runtime)
    if options.examples is None:
        raise ProtocolError(
            "prototypes need example pictures", hint="Set `examples` to a JSON file: text to picture files."
        )
    return EmbeddingScorer(PrototypeEncoder.read(options.examples), runtime.batch_size)
