"""Getting samples ready: which must be measured, and their videos decoded ahead of the networks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from io import FileIO

from ipvg_eval.core.budget import Spending
from ipvg_eval.core.row import SampleRow, Status
from ipvg_eval.core.sound import Sounds
from ipvg_eval.decoding import DecoderProcess, OpenVideo
from ipvg_eval.errors import SubmissionError, VideoError
from ipvg_eval.metrics.timing import Stopwatch, beside, stage
from ipvg_eval.sandbox import open_file
from ipvg_eval.scoring.companions import NoReferenceVideo, comparing, heard, listen, read_driving
from ipvg_eval.scoring.one_video import Measured, OverBudget, unmeasured, wanted_frames, watch
from ipvg_eval.scoring.prefetch import Channel
from ipvg_eval.scoring.scorer import Scorer
from ipvg_eval.submission import Submission
from ipvg_eval.testset.model import Sample
from ipvg_eval.video import Batch

Item = str | Measured | OpenVideo | Sounds | Batch | NoReferenceVideo | None
"""What a thread hands over for a sample: None if its row is up to date; a result if there is nothing to
decode; else the video's sha256, the open video, its batches, and None at the end. Where evaluators hear, the
sounds follow the open video. Where some compare, the same of the reference video comes before the video, or
why there is none; its end is what became of it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Preparation:
    """Both ends of a sample's channel.

    Attributes:
        submission: where the videos are.
        scorer: what measures them.
        rows: the rows so far, by sample id; read only.
        spending: what the submission may still cost; None where somebody else sees to that.
        stopwatch: told how long decoding takes; None where nobody asks.
    """

    submission: Submission
    scorer: Scorer
    rows: Mapping[str, SampleRow]
    spending: Spending | None = None
    stopwatch: Stopwatch | None = None

    def produce(self, sample: Sample, channel: Channel[Item], decoder: DecoderProcess) -> None:
        """In a thread: see whether the sample must be measured, and decode its video."""
        before = decoder.waited
        try:
            self._produce(sample, channel, decoder)
        finally:
            if self.spending is not None:
                self.spending.spend(seconds=decoder.waited - before)

    def _produce(self, sample: Sample, channel: Channel[Item], decoder: DecoderProcess) -> None:
        earlier = self.rows.get(sample.id)
        beyond = self._beyond(sample)
        if beyond is not None and not (earlier is not None and earlier.finished):
            channel.put(beyond)
            return
        with ExitStack() as opened:
            try:
                file = self._opened(sample, opened)
                # What is decoded is what was hashed, whatever becomes of the path meanwhile.
                sha256 = None if file is None else hashlib.file_digest(file, "sha256").hexdigest()
            except VideoError as error:
                channel.put(self._unmeasured(sample, Status.UNDECODABLE, error.message))
                return
            except SubmissionError as error:  # no room for a copy: try again another time
                channel.put(self._unmeasured(sample, Status.CRASHED, f"{type(error).__name__}: {error}"))
                return
            if earlier is not None and earlier.finished and earlier.video_sha256 == sha256:
                channel.put(None)
            elif file is None or sha256 is None:
                refused = sample.video in self.submission.refused
                reason = (
                    f"{sample.video} was refused, see the findings"
                    if refused
                    else f"there is no {sample.video}"
                )
                channel.put(self._unmeasured(sample, Status.MISSING, reason))
            elif beyond is not None:
                channel.put(beyond)
            else:
                channel.put(sha256)
                self._decode(sample, file, channel, decoder)
                channel.put(None)

    def _beyond(self, sample: Sample) -> Measured | None:
        """The result for a video that is there and the submission's budget has no room for."""
        if self.spending is None or not self.submission.has(sample.video):
            return None
        reason = self.spending.refusal(sample.video)
        return None if reason is None else self._unmeasured(sample, Status.CRASHED, reason)

    def _decode(self, sample: Sample, file: FileIO, channel: Channel[Item], decoder: DecoderProcess) -> None:
        evaluators = self.scorer.evaluators
        if comparing(evaluators):
            self._decode_reference(sample, channel, decoder)
        with beside(self.stopwatch, "decode"):
            which = heard(evaluators)
            driving = read_driving(decoder, sample.audio, self.scorer.driving, which)
            video = decoder.open(file)
            sounds = listen(video, driving, which) if which else None
        channel.put(video)
        if sounds is not None:
            channel.put(sounds)
        self._decode_frames(video, wanted_frames(evaluators, sample, video.clip), channel)

    def _decode_reference(self, sample: Sample, channel: Channel[Item], decoder: DecoderProcess) -> None:
        """The test set's own video; where it is missing or broken, what compares with it has no value."""
        if sample.reference_video is None:
            channel.put(NoReferenceVideo(reason="the test set has no reference video for this sample"))
            return
        evaluators = comparing(self.scorer.evaluators)
        try:
            with beside(self.stopwatch, "decode"), open_file(sample.reference_video) as file:
                video = decoder.open(file)
        except VideoError as error:
            channel.put(NoReferenceVideo(reason=f"the reference video cannot be read: {error.message}"))
            return
        channel.put(video)
        wanted = sorted({index for evaluator in evaluators for index in evaluator.frames(video.clip)})
        try:
            self._decode_frames(video, wanted, channel)
        except VideoError as error:
            channel.put(NoReferenceVideo(reason=error.message))
        else:
            channel.put(None)

    def _decode_frames(self, video: OpenVideo, wanted: Sequence[int], channel: Channel[Item]) -> None:
        batches = video.batches(wanted)
        while True:
            with beside(self.stopwatch, "decode"):
                batch = next(batches, None)
            if batch is None:
                break
            channel.put(batch)

    def watch(self, sample: Sample, channel: Channel[Item]) -> Callable[[], Measured | None]:
        """For the reader: take in what the thread hands over; what is returned finishes it, once.

        Finished, it is the sample's result, or None if its row is up to date.
        """
        first = _next(channel)
        if isinstance(first, str):
            return watch(
                sample,
                lambda: self._paid(channel),
                first,
                self.scorer.evaluators,
                self.scorer.specs,
                self.scorer.protocol.definition.frames_needed,
                lambda: _reference(channel),
            ).finish
        assert first is None or isinstance(first, Measured)
        if first is None and self.spending is not None:
            self.spending.spend(pixels=self.rows[sample.id].pixels)
        return lambda: first

    def _paid(self, channel: Channel[Item]) -> _DecodedVideo:
        """The video, counted where samples come in order, so that the same are refused every time."""
        video = _DecodedVideo(channel, hears=bool(heard(self.scorer.evaluators)))
        if self.spending is not None:
            clip = video.clip
            if (reason := self.spending.pay(clip.width * clip.height * clip.frame_count)) is not None:
                raise OverBudget(reason)
        return video

    def _opened(self, sample: Sample, opened: ExitStack) -> FileIO | None:
        """The sample's video; None where there is none."""
        if not self.submission.has(sample.video):
            return None
        path = opened.enter_context(self.submission.open_video(sample.video))
        return opened.enter_context(open_file(path))

    def _unmeasured(self, sample: Sample, status: Status, reason: str) -> Measured:
        return unmeasured(sample, self.scorer.specs, status, reason)


class _DecodedVideo:
    """The reader's end of a video that a thread decodes; see `one_video.Video`."""

    def __init__(
        self, channel: Channel[Item], *, opened: OpenVideo | None = None, hears: bool = False
    ) -> None:
        opened = opened or _opened(channel)
        sounds = _next(channel) if hears else None
        assert sounds is None or isinstance(sounds, Sounds)
        self.sounds = sounds
        self._opened = opened
        self._channel = channel
        self.clip = opened.clip
        self.codec = opened.codec

    def __iter__(self) -> Iterator[Batch]:
        while isinstance(item := _next(self._channel), Batch):
            yield item
        if isinstance(item, NoReferenceVideo):
            raise VideoError(item.reason)

    @property
    def damage(self) -> str | None:
        return self._opened.damage

    @property
    def note(self) -> str | None:
        return self._opened.note


def _opened(channel: Channel[Item]) -> OpenVideo:
    opened = _next(channel)
    assert isinstance(opened, OpenVideo)
    return opened


def _reference(channel: Channel[Item]) -> _DecodedVideo | NoReferenceVideo:
    item = _next(channel)
    if isinstance(item, NoReferenceVideo):
        return item
    assert isinstance(item, OpenVideo)
    return _DecodedVideo(channel, opened=item)


def _next(channel: Channel[Item]) -> Item:
    with stage("wait"):
        return channel.get()
