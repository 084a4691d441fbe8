"""Sync-C and Sync-D: does the mouth move with the sound?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field
from typing_extensions import override

from ipvg_eval.core.measurement import ClipInfo, Frames, Measurement
from ipvg_eval.core.sound import RATE, Heard, NoSound, Sound, Sounds
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.evaluator import NO_FRAME_DECODED, Evaluator, EvaluatorOptions, lost_frames, missing
from ipvg_eval.metrics.faces import scrfd
from ipvg_eval.metrics.faces.detection import FaceDetector
from ipvg_eval.metrics.faces.scrfd import Scrfd
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.talking.agreement import silence
from ipvg_eval.metrics.talking.face_tracks import SMALLEST, Box, Track, Tracker
from ipvg_eval.metrics.talking.frame_clock import FPS, Ticks, shown_frames
from ipvg_eval.metrics.talking.mfcc import mfcc
from ipvg_eval.metrics.talking.sync_scores import Padding, SyncScores, mean_distances, sync_scores
from ipvg_eval.metrics.talking.sync_specs import SPECS, SYNC_C, SYNC_C_AT_ZERO, SYNC_D, SYNC_OFFSET
from ipvg_eval.metrics.talking.syncnet import WINDOW, LipStream, SyncEncoder
from ipvg_eval.metrics.target import Target

_PER_FRAME = RATE // FPS  # samples


class SyncOptions(EvaluatorOptions):
    """Rules of the measurement.

    Attributes:
        audio: which sound. "driving" is the test set's, so that a team cannot put another one into its file;
            "embedded" is the file's own, which the published tools read.
        min_track: faces that a track must exceed; joonson/syncnet_python has 100, LatentSync 50.
        vshift: shifts tried either way, in frames.
        padding: what lips meet beyond the sound's ends; see `sync_scores.mean_distances`.
        faces: of several tracks the one with the largest faces, or the mean of all.
        frame_limit: ticks at 25 per second that are looked at, from the first.
    """

    audio: Heard = "driving"
    min_track: int = Field(default=50, ge=WINDOW)
    vshift: int = Field(default=15, ge=1, le=100)
    padding: Padding = "zero"
    faces: Literal["largest", "mean"] = "largest"
    frame_limit: int = Field(default=15000, ge=1)


class LipSync(Evaluator[SyncOptions]):
    """Measures `sync_c`, `sync_d`, `sync_offset` and `sync_c_at_zero`.

    Faces are found by SCRFD where the published scripts have S3FD: their boxes differ by some pixels.
    """

    Options = SyncOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = SPECS
    BUDGET: ClassVar[str] = "frame_limit"

    def __init__(self, options: SyncOptions, runtime: Runtime) -> None:
        """Load SyncNet and the detector.

        Raises:
            WeightsMissing: a file or package is missing.
        """
        super().__init__(options, runtime)
        self.hears = frozenset({options.audio})
        self._encoder = SyncEncoder(runtime)
        self._detector = Scrfd(runtime)

    @classmethod
    def required_weights(cls, options: SyncOptions, /) -> tuple[str, ...]:
        """SyncNet's and the detector's."""
        return (*super().required_weights(options), scrfd.WEIGHTS)

    @override
    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """Those that are shown at 25 frames per second."""
        return sorted(set(self._shown(clip)))

    @override
    def start(self, target: Target, clip: ClipInfo) -> _SyncPass:
        """Begin one video."""
        return _SyncPass(self._options, self._encoder, self._detector, self._shown(clip))

    def _shown(self, clip: ClipInfo) -> tuple[int, ...]:
        return shown_frames(clip.times, clip.duration)[: self._options.frame_limit]


class _SyncPass:
    """One video; holds some thirty frames and the embeddings of every track."""

    def __init__(
        self, options: SyncOptions, encoder: SyncEncoder, detector: FaceDetector, shown: tuple[int, ...]
    ) -> None:
        self._options = options
        self._encoder = encoder
        self._detector = detector
        self._shown = shown
        self._sound: Sound | NoSound = NoSound(reason="no sound was read")
        self._why = ""
        self._streams: list[LipStream] = []
        self._tracker = Tracker(self._new_stream)
        self._ticks = Ticks(shown)
        self._read = 0
        self._last: tuple[Frames, list[Box]] | None = None

    def hear(self, sounds: Sounds) -> None:
        self._sound = sounds.get(self._options.audio)
        self._why = silence(self._sound) or ""

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        if self._why:
            return
        for index, frame in zip(indices, frames, strict=True):
            self._repeat(self._ticks.before(index))
            found = self._detector.detect(frame[None])[0]
            self._last = frame.copy(), [face.box for face in found]
            self._read += 1
            self._repeat(self._ticks.of(index))

    def finish(self) -> list[Measurement]:
        if self._why or isinstance(self._sound, NoSound):
            return missing(SPECS, self._why or "no sound was read")
        self._repeat(self._ticks.rest())
        self._tracker.finish()
        if self._last is None:
            return missing(SPECS, NO_FRAME_DECODED)
        kept = [
            (track, stream)
            for track, stream in zip(self._tracker.tracks, self._streams, strict=True)
            if track.detections > self._options.min_track and track.side > SMALLEST
        ]
        if not kept:
            return missing(SPECS, self._no_track())
        if self._options.faces == "largest":
            kept = [max(kept, key=lambda entry: entry[0].side)]
        found = [scores for entry in kept if (scores := self._scores(*entry, self._sound)) is not None]
        if not found:
            return missing(SPECS, "the sound ends before the face has been seen for long enough")
        notes = lost_frames(self._read, len(set(self._shown)))
        if len(kept) > 1:
            notes.append(f"mean of {len(found)} faces")
        return _measurements(found, "; ".join(notes) or None)

    def _new_stream(self) -> Callable[[Frames], None]:
        self._streams.append(LipStream(self._encoder, self._options.min_track + 1))
        return self._streams[-1].add

    def _repeat(self, times: int) -> None:
        """The frame before stays where none is shown anew, or one could not be read."""
        for _ in range(times if self._last is not None else 0):
            assert self._last is not None
            self._tracker.add(*self._last)

    def _scores(self, track: Track, stream: LipStream, sound: Sound) -> SyncScores | None:
        lips = stream.finish()
        first = self._first_tick + track.start
        samples = sound.samples[first * _PER_FRAME : (first + track.length) * _PER_FRAME]
        # One window fewer than fits, as published.
        windows = min(track.length, len(samples) // _PER_FRAME) - WINDOW
        if windows < 1:
            return None
        sounds = self._encoder.sounds(mfcc(samples), windows)
        means = mean_distances(lips[:windows], sounds, self._options.vshift, self._options.padding)
        return sync_scores(means, windows)

    @property
    def _first_tick(self) -> int:
        """Tick of the first frame that could be read: the tracker counts from there."""
        return len(self._shown) - self._tracker.seen

    def _no_track(self) -> str:
        tracks, least = self._tracker.tracks, self._options.min_track
        if len(self._shown) <= least:
            return (
                f"the video has {len(self._shown)} frames at {FPS} per second; more than {least} are needed"
            )
        if not tracks:
            return "no face was found"
        longest = max(track.detections for track in tracks)
        if longest <= least:
            return f"no face is seen in more than {least} frames; the longest track has {longest}"
        return f"the face is smaller than {SMALLEST:g} pixels"


def _measurements(found: Sequence[SyncScores], note: str | None) -> list[Measurement]:
    def mean(values: Sequence[float]) -> float:
        return float(np.mean(values, dtype=np.float64))

    named = {
        SYNC_C: mean([scores.confidence for scores in found]),
        SYNC_D: mean([scores.distance for scores in found]),
        SYNC_OFFSET: mean([scores.offset for scores in found]),
        SYNC_C_AT_ZERO: mean([scores.confidence_at_zero for scores in found]),
    }
    return [Measurement(name=spec.name, value=value, note=note) for spec, value in named.items()]
