"""Do the face's landmarks lie where the real video has them?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import Field
from typing_extensions import override

from ipvg_eval.core.measurement import ClipInfo, Frames, Measurement
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.evaluator import Evaluator, EvaluatorOptions, Pass, missing
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.talking.dlib_landmarks import SHA256, WEIGHTS, DlibLandmarks
from ipvg_eval.metrics.talking.frame_clock import Ticks, shown_frames
from ipvg_eval.metrics.talking.landmark_distances import (
    MOUTH,
    aligned_distance,
    mean_absolute,
    mean_euclidean,
)
from ipvg_eval.metrics.talking.landmark_specs import (
    AKD,
    F_LMD,
    F_LMD_ALIGNED,
    LANDMARK_COVERAGE,
    M_LMD,
    SPECS,
)
from ipvg_eval.metrics.target import Target

Points = npt.NDArray[np.float64]
Find = Callable[[Frames], Points | None]


class LandmarkOptions(EvaluatorOptions):
    """Rules of the landmark distances.

    Attributes:
        size: both videos are scaled to so many pixels, width and height.
        step: every so many frames of 1/25 s are looked at.
        frame_limit: frames of 1/25 s that are looked at, from the first.
    """

    size: int = Field(default=256, ge=64)
    step: int = Field(default=1, ge=1)
    frame_limit: int = Field(default=1500, ge=1)


class FaceLandmarks(Evaluator[LandmarkOptions]):
    """Measures `akd`, `f_lmd`, `m_lmd`, `f_lmd_aligned` and `landmark_coverage`."""

    Options = LandmarkOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = SPECS
    BUDGET: ClassVar[str] = "frame_limit"
    compares: bool = True

    def __init__(self, options: LandmarkOptions, runtime: Runtime) -> None:
        """Load dlib.

        Raises:
            WeightsMissing: it, or the package with its file, is not installed.
        """
        super().__init__(options, runtime)
        self._landmarks = DlibLandmarks()
        self.weights = {WEIGHTS: SHA256}

    @classmethod
    def required_weights(cls, _options: LandmarkOptions, /) -> tuple[str, ...]:
        """None have to be fetched: they come with a package."""
        return ()

    @override
    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """Those that are looked at."""
        return sorted(set(self._looked_at(clip)))

    @override
    def start(self, target: Target, clip: ClipInfo) -> _LandmarkPass:
        """Begin one video."""
        aspect = clip.width / clip.height
        return _LandmarkPass(self._landmarks.find, self._looked_at(clip), self._options.size, aspect)

    def _looked_at(self, clip: ClipInfo) -> tuple[int, ...]:
        return shown_frames(clip.times, clip.duration)[: self._options.frame_limit : self._options.step]


class _LandmarkPass:
    """One video; keeps landmarks by the number of the moment."""

    def __init__(self, find: Find, shown: tuple[int, ...], size: int, aspect: float) -> None:
        self._find = find
        self._ticks = Ticks(shown)
        self._moments = len(shown)
        self._size = size
        self._reference: Pass | str = "there is no reference video"
        self._last: Points | None = None
        self._moment = 0
        self.aspect = aspect
        self.found: dict[int, Points] = {}

    def compare(self, reference: Pass | str) -> None:
        self._reference = reference

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        for index, frame in zip(indices, frames, strict=True):
            self._fill(self._ticks.before(index))
            scaled = cv2.resize(frame, (self._size, self._size), interpolation=cv2.INTER_AREA)
            self._last = self._find(np.ascontiguousarray(scaled, np.uint8))
            self._fill(self._ticks.of(index))

    def _fill(self, moments: int) -> None:
        for _ in range(moments):
            if self._last is not None:
                self.found[self._moment] = self._last
            self._moment += 1

    def finish(self) -> list[Measurement]:
        self._fill(self._ticks.rest())
        other = self._reference
        if not isinstance(other, _LandmarkPass):
            return missing(SPECS, other if isinstance(other, str) else "the reference video was not seen")
        other._fill(other._ticks.rest())
        real = {moment: points for moment, points in other.found.items() if moment < self._moments}
        if not real:
            return missing(SPECS, "no face was found in the reference video")
        both = [moment for moment in real if moment in self.found]
        coverage = Measurement(name=LANDMARK_COVERAGE.name, value=len(both) / len(real))
        if not both:
            return [*missing(SPECS[:-1], "no moment at which both videos show a face"), coverage]
        notes = [] if abs(self.aspect / other.aspect - 1) < 0.01 else ["the real video has another shape"]
        if self._moments < other._moments:
            notes.append(f"the video ends after {self._moments} of {other._moments} moments of the real one")
        pairs = [(self.found[moment], real[moment]) for moment in both]
        values = {
            AKD: [mean_absolute(*pair) for pair in pairs],
            F_LMD: [mean_euclidean(*pair) for pair in pairs],
            M_LMD: [mean_euclidean(points[MOUTH], there[MOUTH]) for points, there in pairs],
            F_LMD_ALIGNED: [aligned_distance(*pair) for pair in pairs],
        }
        note = "; ".join(notes) or None
        return [*(_mean(spec, found, note) for spec, found in values.items()), coverage]


def _mean(spec: MetricSpec, values: Sequence[float], note: str | None) -> Measurement:
    mean = float(np.mean(values, dtype=np.float64))
    if not np.isfinite(mean):
        return Measurement(name=spec.name, value=None, reason="the real eyes are one point")
    return Measurement(name=spec.name, value=mean, note=note)
