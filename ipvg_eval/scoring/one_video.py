"""Measuring one video: every evaluator sees the frames it asked for of one decoding."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import numpy as np
from PIL import Image

from ipvg_eval.core.errors import IpvgError, Unavailable
from ipvg_eval.core.measurement import ClipInfo, FrameFeatures, Frames, Measurement
from ipvg_eval.core.row import MeasurementRow, SampleRow, Status, VideoFacts
from ipvg_eval.core.sound import Sounds
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.errors import VideoError
from ipvg_eval.metrics.evaluator import ComparingPass, Evaluator, HearingPass, Pass
from ipvg_eval.metrics.target import Target
from ipvg_eval.scoring.companions import NoReferenceVideo, comparing
from ipvg_eval.scoring.contact_sheet import ContactSheet
from ipvg_eval.scoring.event_pictures import EventPictures
from ipvg_eval.testset.model import Sample
from ipvg_eval.video import Batch

_log = logging.getLogger(__name__)

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """What measuring one video gave.

    Attributes:
        row: its durable row.
        features: embeddings to keep, by metric.
        contact_sheet: a few frames side by side; None where nothing decoded.
        event_pictures: a frame of every event of the timeline; None for an event that has none.
        waited: seconds that decoding was waited for, where that was not in this process.
    """

    row: SampleRow
    features: dict[str, FrameFeatures]
    contact_sheet: Image.Image | None
    event_pictures: tuple[Image.Image | None, ...] = ()
    waited: float = 0.0


class OverBudget(IpvgError):
    """A video that would go beyond what its submission may cost."""


def unmeasured(
    sample: Sample, specs: Sequence[MetricSpec], status: Status, reason: str, sha256: str | None = None
) -> Measured:
    """The result for a video that could not be measured: every metric is missing, with the reason."""
    return Measured(
        row=SampleRow(
            sample=sample.id,
            identity=sample.identity,
            video=sample.video,
            video_sha256=sha256,
            status=status,
            reason=reason,
            timeline=sample.timeline,
            measurements=tuple(MeasurementRow(name=spec.name, value=None, reason=reason) for spec in specs),
            seconds=0.0,
        ),
        features={},
        contact_sheet=None,
    )


class Video(Protocol):
    """A video that is being decoded."""

    @property
    def clip(self) -> ClipInfo:
        """What evaluators are told."""
        ...

    @property
    def codec(self) -> str | None:
        """FFmpeg's name of its codec."""
        ...

    @property
    def damage(self) -> str | None:
        """Why part of it did not decode, or None; complete once the batches are exhausted."""
        ...

    @property
    def note(self) -> str | None:
        """What a reader must know about its frames, or None; likewise."""
        ...

    @property
    def sounds(self) -> Sounds | None:
        """What belongs to it; None where no evaluator hears."""
        ...

    def __iter__(self) -> Iterator[Batch]:
        """The batches, once, in ascending order."""
        ...


def no_reference_video() -> NoReferenceVideo:
    """What evaluators that compare are told where nobody opens a reference video."""
    return NoReferenceVideo(reason="there is no reference video of this sample")


def wanted_frames(evaluators: Sequence[Evaluator], sample: Sample, clip: ClipInfo) -> list[int]:
    """The frames of a sample's video that anybody wants, ascending."""
    events = [index for index in EventPictures(sample.timeline, clip).wanted if index is not None]
    seen = (evaluator.frames(clip) for evaluator in evaluators)
    return sorted(set(ContactSheet(clip).wanted).union(events, *seen))


def watch(
    sample: Sample,
    open_video: Callable[[], Video],
    sha256: str | None,
    evaluators: Sequence[Evaluator],
    specs: Sequence[MetricSpec],
    frames_needed: float | None = None,
    open_reference: Callable[[], Video | NoReferenceVideo] = no_reference_video,
    *,
    pictures: bool = True,
) -> Watched:
    """Decode a video, once, for every evaluator.

    Args:
        sample: what the video answers.
        open_video: gives the video with the frames of `wanted_frames`.
        sha256: hash of its file, for the row; None where it is none.
        evaluators: what measures it; they may be shown other videos before this one is finished.
        specs: which of the evaluators' metrics are kept, in row order.
        frames_needed: share of the frames of `wanted_frames` that must decode; None for any.
        open_reference: gives the test set's own video, with the frames that evaluators which compare want of
            it; it is seen before the video is opened.
        pictures: whether the small pictures for people are made.
    """

    def see() -> _Seen:
        references = _see_reference(sample, open_reference, evaluators)
        return _see(sample, open_video(), evaluators, frames_needed, references, pictures)

    return Watched(sample, sha256, specs, see)


class Watched:
    """A video that every evaluator has been shown.

    A video that does not decode, or an evaluator that breaks on it, gives a row with the reason and no
    values, so that one video never costs the run.
    """

    def __init__(
        self, sample: Sample, sha256: str | None, specs: Sequence[MetricSpec], see: Callable[[], _Seen]
    ) -> None:
        self._sample = sample
        self._sha256 = sha256
        self._specs = specs
        self._failure: Measured | None = None
        self._seconds = 0.0
        self._seen = self._explained(see)

    def finish(self) -> Measured:
        """The measurements; to be called once."""
        seen, self._seen = self._seen, None
        measured = None
        if seen is not None:
            measured = self._explained(lambda: seen.measured(self._sample, self._sha256, self._specs))
        measured = measured or self._failure
        assert measured is not None
        return replace(measured, row=measured.row.model_copy(update={"seconds": self._seconds}))

    def _explained(self, step: Callable[[], Result]) -> Result | None:
        """What a step gives; None where it fails, and then the reason is kept."""
        started = time.perf_counter()
        try:
            return step()
        except Unavailable:
            raise  # no video is to blame, and every other one would fail the same way
        except OverBudget as error:
            self._fail(Status.CRASHED, error.message)  # with a larger budget it may come out well
        except VideoError as error:
            self._fail(Status.UNDECODABLE, error.message)
        except Exception as error:
            _log.debug("measuring %s failed", self._sample.id, exc_info=True)
            self._fail(Status.CRASHED, f"{type(error).__name__}: {error}")
        finally:
            self._seconds += time.perf_counter() - started
        return None

    def _fail(self, status: Status, reason: str) -> None:
        self._failure = unmeasured(self._sample, self._specs, status, reason, self._sha256)


_References = Mapping[Evaluator, Pass | str]


def _see_reference(
    sample: Sample, open_reference: Callable[[], Video | NoReferenceVideo], evaluators: Sequence[Evaluator]
) -> _References:
    """Show the reference video to whoever compares; what is wrong with it is no fault of the submission."""
    watching = comparing(evaluators)
    if not watching:
        return {}
    video = open_reference()
    if isinstance(video, NoReferenceVideo):
        return dict.fromkeys(watching, video.reason)
    try:
        viewers = [_Viewer(evaluator, sample.target, video.clip, video.sounds) for evaluator in watching]
        for batch in video:
            picked: dict[tuple[int, ...], Frames] = {}
            for viewer in viewers:
                viewer.add(batch.indices, batch.frames, picked)
    except VideoError as error:
        return dict.fromkeys(watching, f"the reference video cannot be read: {error.message}")
    return {evaluator: viewer.seen for evaluator, viewer in zip(watching, viewers, strict=True)}


def _see(
    sample: Sample,
    video: Video,
    evaluators: Sequence[Evaluator],
    frames_needed: float | None,
    references: _References,
    pictures: bool,
) -> _Seen:
    clip, decoded = video.clip, 0
    sheet, events = ContactSheet(clip), EventPictures(sample.timeline, clip)
    viewers = [
        _Viewer(evaluator, sample.target, clip, video.sounds, references.get(evaluator))
        for evaluator in evaluators
    ]
    for batch in video:
        decoded += len(batch.indices)
        if pictures:
            sheet.add(batch.indices, batch.frames)
            events.add(batch.indices, batch.frames)
        picked: dict[tuple[int, ...], Frames] = {}
        for viewer in viewers:
            viewer.add(batch.indices, batch.frames, picked)
    wanted = len(wanted_frames(evaluators, sample, clip))
    if frames_needed is not None and decoded < frames_needed * wanted:
        needed = f"the protocol needs {frames_needed:.0%}"
        raise VideoError(f"{decoded} of {wanted} frames decode, and {needed} ({video.damage})")
    return _Seen(video=video, sheet=sheet, events=events, viewers=viewers)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Seen:
    """What is left of a video once its frames are gone."""

    video: Video
    sheet: ContactSheet
    events: EventPictures
    viewers: Sequence[_Viewer]

    def measured(self, sample: Sample, sha256: str | None, specs: Sequence[MetricSpec]) -> Measured:
        video, clip = self.video, self.video.clip
        found = {m.name: m for viewer in self.viewers for m in viewer.finish()}
        measurements = [found[spec.name] for spec in specs]
        seen = {i for m in measurements if m.per_frame for i in m.per_frame.indices}
        return Measured(
            row=SampleRow(
                sample=sample.id,
                identity=sample.identity,
                video=sample.video,
                video_sha256=sha256,
                status=Status.SCORED,
                timeline=sample.timeline,
                damage=video.damage,
                note=video.note,
                facts=VideoFacts(
                    frame_count=clip.frame_count,
                    width=clip.width,
                    height=clip.height,
                    fps=clip.fps,
                    duration=clip.duration,
                    codec=video.codec,
                ),
                measurements=tuple(MeasurementRow.of(m) for m in measurements),
                frame_times={i: clip.times[i] for i in sorted(seen)},
                seconds=0.0,
            ),
            features={m.name: m.features for m in measurements if m.features is not None},
            contact_sheet=self.sheet.image(),
            event_pictures=self.events.pictures(),
        )


class _Viewer:
    """One evaluator's view of the video that all of them share."""

    def __init__(
        self,
        evaluator: Evaluator,
        target: Target,
        clip: ClipInfo,
        sounds: Sounds | None,
        reference: Pass | str | None = None,
    ) -> None:
        self._evaluator = evaluator
        self._reference = reference
        self._wanted = frozenset(evaluator.frames(clip))
        self._pass: Pass | None = None
        self._refusal = ""
        try:
            self._pass = evaluator.start(target, clip)
        except IpvgError as error:
            self._refusal = str(error)
        if sounds is not None and evaluator.hears and isinstance(self._pass, HearingPass):
            self._pass.hear(sounds)

    @property
    def seen(self) -> Pass | str:
        """The pass, once it has all frames; or why there is none."""
        return self._pass or self._refusal

    def add(self, indices: Sequence[int], frames: Frames, picked: dict[tuple[int, ...], Frames]) -> None:
        """What is picked out of the frames is kept for the next viewer who wants the same."""
        if self._pass is None:
            return
        mine = tuple(position for position, index in enumerate(indices) if index in self._wanted)
        if len(mine) == len(indices):
            self._pass.add(indices, frames)
        elif mine:
            if mine not in picked:
                picked[mine] = frames[np.asarray(mine)]
            self._pass.add([indices[position] for position in mine], picked[mine])

    def finish(self) -> Iterator[Measurement]:
        if self._reference is not None and isinstance(self._pass, ComparingPass):
            self._pass.compare(self._reference)
        if self._pass is not None:
            yield from self._pass.finish()
            return
        for spec in self._evaluator.specs:
            yield Measurement(name=spec.name, value=None, reason=self._refusal)
