"""Lips without any download: do they move, with the sound, and where they should be?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import Field
from typing_extensions import override

from ipvg_eval.core.measurement import ClipInfo, Frames, Measurement
from ipvg_eval.core.sound import Heard, NoSound, Sound, Sounds
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.evaluator import (
    NO_FRAME_DECODED,
    Evaluator,
    EvaluatorOptions,
    Pass,
    lost_frames,
    missing,
)
from ipvg_eval.metrics.faces.alignment import align
from ipvg_eval.metrics.faces.detection import FaceDetector, largest_face
from ipvg_eval.metrics.faces.mtcnn import Mtcnn
from ipvg_eval.metrics.lite.lip_motion import lip_sound, loudness, mouth_change
from ipvg_eval.metrics.lite.lips_specs import (
    LITE_LANDMARK_DISTANCE,
    LITE_LIP_LAG,
    LITE_LIP_SYNC,
    MOUTH_MOTION,
    SHORTEST,
    SPECS,
)
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.talking.agreement import silence
from ipvg_eval.metrics.talking.frame_clock import Ticks, shown_frames
from ipvg_eval.metrics.target import Target

Points = npt.NDArray[np.float64]

_MOVES = 1.5  # of 255; a still picture that was encoded stays below 1
_NO_FACE = "no face was found"


class LiteLipsOptions(EvaluatorOptions):
    """Rules of the training-free measurements of lips.

    Attributes:
        audio: which sound; "driving" is the test set's, "embedded" the file's own.
        step: a face is searched on every so many frames of 1/25 s.
        frame_limit: frames of 1/25 s that are looked at, from the first.
        detector_long_side: frames are scaled down to it before the search, in pixels.
        min_face_size: smallest face searched for, in pixels of the scaled frame: a head that talks is large,
            and small faces are what a search costs.
    """

    audio: Heard = "driving"
    step: int = Field(default=10, ge=1)
    frame_limit: int = Field(default=1500, ge=2)
    detector_long_side: int = Field(default=320, ge=64)
    min_face_size: int = Field(default=64, ge=12)


class LiteLips(Evaluator[LiteLipsOptions]):
    """Measures `lite_lip_sync`, `lite_lip_lag`, `mouth_motion` and `lite_landmark_distance`."""

    Options = LiteLipsOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = SPECS
    BUDGET: ClassVar[str] = "frame_limit"
    compares: bool = True

    def __init__(self, options: LiteLipsOptions, runtime: Runtime) -> None:
        """Load the detector.

        Raises:
            WeightsMissing: facenet-pytorch is not installed.
        """
        super().__init__(options, runtime)
        self.hears = frozenset({options.audio})
        self._detector = Mtcnn(
            device=runtime.device,
            long_side=options.detector_long_side,
            min_face_size=options.min_face_size,
        )
        self.weights = self._detector.weights

    @classmethod
    def required_weights(cls, _options: LiteLipsOptions, /) -> tuple[str, ...]:
        """None have to be fetched: the detector's come with its package."""
        return ()

    @override
    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """Those that are shown at 25 frames per second."""
        return sorted(set(self._shown(clip)))

    @override
    def start(self, target: Target, clip: ClipInfo) -> _LipsPass:
        """Begin one video."""
        return _LipsPass(self._options, self._detector, self._shown(clip), clip.duration)

    def _shown(self, clip: ClipInfo) -> tuple[int, ...]:
        return shown_frames(clip.times, clip.duration)[: self._options.frame_limit]


class _LipsPass:
    """One video; holds the frames since the last search for a face."""

    def __init__(
        self, options: LiteLipsOptions, detector: FaceDetector, shown: tuple[int, ...], duration: float
    ) -> None:
        self._options = options
        self._detector = detector
        self._shown = shown
        self._duration = duration
        self._ticks = Ticks(shown)
        self._sound: Sound | NoSound = NoSound(reason="no sound was read")
        self._last: Frames | None = None
        self._read = 0
        self._tick = 0
        self._waiting: list[Frames] = []
        self._face: Frames | None = None
        self._changes: list[float] = []
        self._first_change = 0
        self._reference: Pass | str = ""
        self._points: Points | None = None
        self.found: dict[int, Points] = {}
        """Landmarks by tick, where a face was searched and found."""

    def hear(self, sounds: Sounds) -> None:
        self._sound = sounds.get(self._options.audio)

    def compare(self, reference: Pass | str) -> None:
        self._reference = reference

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        for index, frame in zip(indices, frames, strict=True):
            self._show(self._ticks.before(index))
            self._last = frame.copy()
            self._read += 1
            self._show(self._ticks.of(index))

    def finish(self) -> list[Measurement]:
        self._show(self._ticks.rest())
        if self._last is None:
            return missing(SPECS, NO_FRAME_DECODED)
        if self._points is None:
            return missing(SPECS, _NO_FACE)
        self._follow(self._points)
        note = "; ".join(lost_frames(self._read, len(set(self._shown)))) or None
        return [*self._lip_sync(note), self._motion(note), self._distance()]

    def _show(self, times: int) -> None:
        for _ in range(times if self._last is not None else 0):
            assert self._last is not None
            if self._tick % self._options.step == 0:
                self._search(self._last)
            if self._points is not None:
                self._waiting.append(self._last)
            self._tick += 1

    def _search(self, frame: Frames) -> None:
        face = largest_face(self._detector.detect(frame[None])[0])
        if face is None:
            return  # the points before stay
        self.found[self._tick] = face.points
        if self._points is None:
            self._first_change = self._tick + 1
        else:
            self._follow(face.points)
        self._points = face.points

    def _follow(self, points: Points) -> None:
        """Changes of the mouth in the frames that wait; the face moves on straight lines to these points."""
        assert self._points is not None
        for place, frame in enumerate(self._waiting):
            between = self._points + (points - self._points) * (place / len(self._waiting))
            face = align(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.uint8), between)
            if self._face is not None:
                self._changes.append(mouth_change(self._face, face))
            self._face = face
        self._waiting = []

    def _lip_sync(self, note: str | None) -> list[Measurement]:
        specs = (LITE_LIP_SYNC, LITE_LIP_LAG)
        if self._duration < SHORTEST:
            reason = f"the video lasts {self._duration:.1f} s; below {SHORTEST:g} s the value says nothing"
            return missing(specs, reason)
        why = silence(self._sound)
        if why or isinstance(self._sound, NoSound):
            return missing(specs, why or "no sound was read")
        levels = loudness(self._sound.samples)[self._first_change :]
        found = lip_sound(np.asarray(self._changes), levels)
        if found is None:
            return missing(specs, "the mouth or the loudness never changes")
        return [
            Measurement(name=LITE_LIP_SYNC.name, value=found.correlation, note=note),
            Measurement(name=LITE_LIP_LAG.name, value=float(found.lag), note=note),
        ]

    def _motion(self, note: str | None) -> Measurement:
        if not self._changes:
            return Measurement(name=MOUTH_MOTION.name, value=None, reason="fewer than 2 frames with a face")
        value = float(np.mean(np.asarray(self._changes) > _MOVES))
        return Measurement(name=MOUTH_MOTION.name, value=value, note=note)

    def _distance(self) -> Measurement:
        name = LITE_LANDMARK_DISTANCE.name
        if not isinstance(self._reference, _LipsPass):
            reason = self._reference if isinstance(self._reference, str) else ""
            return Measurement(name=name, value=None, reason=reason or "there is no reference video")
        real = self._reference.found
        both = [tick for tick in self.found if tick in real]
        if not both:
            return Measurement(name=name, value=None, reason="no moment at which both videos show a face")
        distances = [
            np.linalg.norm(self.found[tick] - real[tick], axis=1).mean()
            / np.linalg.norm(real[tick][1] - real[tick][0])
            for tick in both
        ]
        note = None if len(both) == len(real) else f"at {len(both)} of {len(real)} moments"
        return Measurement(name=name, value=float(np.mean(distances)), note=note)
