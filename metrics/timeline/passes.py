"""Passes over the frames of one video, ended by its measurements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ipvg_eval.core.measurement import ClipInfo, Frames, Measurement
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.core.timeline.check import video_problems
from ipvg_eval.core.timeline.model import Timeline, summary
from ipvg_eval.metrics.evaluator import NO_FRAME, NOT_FINITE
from ipvg_eval.metrics.subject.appearances import Appearances
from ipvg_eval.metrics.subject.measurements import WHOLE_FRAME
from ipvg_eval.metrics.subject.subject_pass import NoReferencePass, SubjectPass
from ipvg_eval.metrics.target import NO_REFERENCE
from ipvg_eval.metrics.timeline.alignment.event_grid import snapped
from ipvg_eval.metrics.timeline.alignment.video_alignment import (
    AlignmentInputs,
    VideoAlignment,
    align_video,
)
from ipvg_eval.metrics.timeline.distractors import Distractors
from ipvg_eval.metrics.timeline.frame_sampling import Samples
from ipvg_eval.metrics.timeline.presence.events import EventFrames, EventPresence
from ipvg_eval.metrics.timeline.presence.judge import PresenceJudge
from ipvg_eval.metrics.timeline.scorers.text_video_scorer import TextVideoScorer, Viewing
from ipvg_eval.metrics.timeline.subject_consistency import Consistency, crop_consistency, pair_consistency
from ipvg_eval.metrics.timeline.video_result import VideoResult, cosine_presence, measurements
from ipvg_eval.metrics.timeline.video_score.passes import VideoScorePass


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """What one video is measured against, and with.

    Attributes:
        specs: the metrics made from the timeline.
        scorer: compares windows with texts.
        presence: answers whether an event shows its action; None where the scorer's cosine stands for it.
        timeline: at least one event.
        neutral: a text without an action, or None.
        distractors: actions nobody asked for; None for the first version's scores.
        clip: the video.
        samples: the moments that are looked at.
    """

    specs: tuple[MetricSpec, ...]
    scorer: TextVideoScorer
    presence: PresenceJudge | None
    timeline: Timeline
    neutral: str | None
    distractors: Distractors | None
    clip: ClipInfo
    samples: Samples


class TimelinePass:
    """Holds what the scorer keeps of each frame, and up to eight frames per event for the presence judge."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._wanted = frozenset(task.samples.wanted)
        self._viewing: Viewing = task.scorer.view()
        self._events: EventFrames | None = None
        if task.presence is not None:
            given = tuple((event.start, event.end) for event in task.timeline.events)
            intervals = snapped(given, duration=task.clip.duration, fps=task.clip.fps)
            self._events = EventFrames(task.presence, intervals, task.samples)

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        """Take the next wanted frames; see `ipvg_eval.metrics.evaluator.Pass`."""
        for index, frame in zip(indices, frames, strict=True):
            if index in self._wanted:
                self._viewing.add(index, frame)
                if self._events is not None:
                    self._events.add(index, frame)

    def finish(self, subjects: SubjectsPass | None = None) -> list[Measurement]:
        """One measurement per spec.

        Args:
            subjects: what the subjects looked like, finished; None where nobody looked for them.
        """
        task, footage = self._task, self._viewing.finish()
        if not footage.indices:
            return NoPass(task.specs, NO_FRAME).finish()
        if not np.isfinite(footage.features).all():
            return NoPass(task.specs, NOT_FINITE).finish()
        events = task.timeline.events
        alignment = align_video(
            AlignmentInputs(
                footage=footage,
                events=events,
                clip=task.clip,
                samples=task.samples,
                scorer=task.scorer,
                neutral=task.neutral,
                distractors=task.distractors.texts if task.distractors is not None else None,
            )
        )
        if isinstance(alignment, str):
            return NoPass(task.specs, alignment).finish()
        result = VideoResult(
            alignment=alignment,
            consistency=self._consistency(alignment, len(footage.indices), subjects),
            presence=self._presence(alignment),
            footage=footage,
            clip=task.clip,
            wanted=len(self._wanted),
            end=task.timeline.end,
            distractors=task.distractors,
            notes=self._notes(len(footage.indices)),
        )
        return measurements(task.specs, result)

    def _presence(self, alignment: VideoAlignment) -> EventPresence:
        if self._events is None:
            return cosine_presence(alignment)
        actions = [event.description for event in self._task.timeline.events]
        if self._task.distractors is None:
            return self._events.finish(actions)
        return self._events.finish_two_sided(
            actions, self._task.distractors.texts, classes=alignment.grid.classes
        )

    def _consistency(
        self, alignment: VideoAlignment, read: int, subjects: SubjectsPass | None
    ) -> Consistency:
        clip = self._task.clip
        if subjects is None:
            several = len(alignment.presence) > 1
            return pair_consistency(
                alignment.pairs,
                read / len(self._wanted),
                reason="fewer than two events were reached" if several else "fewer than two frames",
                note=WHOLE_FRAME,
            )
        seen = subjects.appearances
        if seen is None:
            return Consistency(mean=None, least=None, reason=subjects.problem, note="")
        times = [clip.times[index] for index in seen.indices]
        return crop_consistency(seen, alignment.grid.intervals, times, clip.duration)

    def _notes(self, read: int) -> tuple[str, ...]:
        task = self._task
        problems = [
            *(p for p in task.timeline.problems if p.severity == "error"),
            *video_problems(task.timeline, duration=task.clip.duration, fps=task.clip.fps),
        ]
        notes = [summary(problems)] if problems else []
        cut = sum(task.scorer.cut_off(event.description) for event in task.timeline.events)
        if cut:
            notes.append(
                f"{cut} of {len(task.timeline.events)} actions were longer than the scorer reads and were cut"
            )
        if read < len(self._wanted):
            notes.append(f"{read} of {len(self._wanted)} frames could be read")
        return tuple(notes)


class NoPass:
    """A video whose sample has no usable timeline."""

    def __init__(self, specs: tuple[MetricSpec, ...], reason: str) -> None:
        self._specs = specs
        self._reason = reason

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        """Nothing is looked at."""

    def finish(self) -> list[Measurement]:
        """Every metric is missing."""
        return [Measurement(name=spec.name, value=None, reason=self._reason) for spec in self._specs]


class SubjectsPass:
    """The subjects' own pass over the frames that it wants."""

    def __init__(self, looking: SubjectPass | NoReferencePass, wanted: Sequence[int]) -> None:
        self._looking = looking
        self._wanted = frozenset(wanted)
        self.problem = NO_FRAME

    @property
    def appearances(self) -> Appearances | None:
        """What the subjects looked like, once it is finished; None where `problem` says why."""
        return self._looking.appearances

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        """Take the frames it wants out of a batch."""
        mine = [place for place, index in enumerate(indices) if index in self._wanted]
        if mine:
            self.problem = NOT_FINITE if isinstance(self._looking, SubjectPass) else NO_REFERENCE
            self._looking.add([indices[place] for place in mine], frames[np.asarray(mine)])

    def finish(self) -> list[Measurement]:
        """One measurement per spec."""
        return self._looking.finish()


class JointPass:
    """The timeline's metrics, and behind them VideoScore's and the subjects', which need no timeline."""

    def __init__(
        self,
        timeline: TimelinePass | NoPass,
        video_score: VideoScorePass | None,
        subjects: SubjectsPass | None,
    ) -> None:
        self._timeline = timeline
        self._video_score = video_score
        self._subjects = subjects

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        """Take the next wanted frames; see `ipvg_eval.metrics.evaluator.Pass`."""
        self._timeline.add(indices, frames)
        if self._video_score is not None:
            for index, frame in zip(indices, frames, strict=True):
                self._video_score.add(index, frame)
        if self._subjects is not None:
            self._subjects.add(indices, frames)

    def finish(self) -> list[Measurement]:
        """One measurement per spec."""
        video_scores = self._video_score.finish() if self._video_score is not None else []
        subjects = self._subjects.finish() if self._subjects is not None else []
        timeline = (
            self._timeline.finish(self._subjects)
            if isinstance(self._timeline, TimelinePass)
            else self._timeline.finish()
        )
        return [*timeline, *video_scores, *subjects]
