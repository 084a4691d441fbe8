"""Motion without any download: is it smooth, and is there any?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import cv2
import numpy as np
from pydantic import Field
from typing_extensions import override

from ipvg_eval.core.measurement import ClipInfo, Frames, FrameValues, Measurement
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.evaluator import Evaluator, EvaluatorOptions
from ipvg_eval.metrics.lite.interpolation import (
    MIN_SIDE,
    fast_motion,
    middle_flow,
    predict_middle,
    residual,
    smoothness,
)
from ipvg_eval.metrics.sampling import linspace_indices
from ipvg_eval.metrics.scaling import shrink
from ipvg_eval.metrics.target import Target

LITE_MOTION = MetricSpec(
    name="lite_motion",
    version=1,
    higher_is_better=True,
    bounds=(0.0, 1.0),
    title="Motion smoothness (training-free)",
    summary="How well frames are predicted from their neighbours by optical flow: 1 - RMS residual / 255.",
    caveats="A still picture has the best value: read it beside dynamic_degree_lite. Cuts and flashes "
    "lower it.",
    source="VBench's motion smoothness with DIS optical flow (Kroeger et al. 2016), cv2.DISOpticalFlow, "
    "in place of AMT-S",
    proxy=True,
)
DYNAMIC_DEGREE_LITE = MetricSpec(
    name="dynamic_degree_lite",
    version=1,
    higher_is_better=None,
    bounds=(0.0, None),
    unit="short sides/s",
    title="Amount of motion",
    summary="Mean speed of the fastest 5 % of the picture; a still picture has 0.",
    caveats="Camera motion counts like motion of the subject; flicker and noise look like a little motion.",
    source="VBench's dynamic degree with DIS optical flow (Kroeger et al. 2016), cv2.DISOpticalFlow, "
    "in place of RAFT, without its threshold",
    proxy=True,
)

_TOO_SMALL = f"the frames are smaller than {MIN_SIDE} pixels"


class LiteMotionOptions(EvaluatorOptions):
    """Rules of the training-free motion measurements.

    Attributes:
        triplets: how many middle frames are predicted at most; spread evenly over a longer video.
        long_side: frames are scaled down to it, in pixels.
    """

    triplets: int = Field(default=48, ge=1)
    long_side: int = Field(default=480, ge=MIN_SIDE)


class LiteMotion(Evaluator[LiteMotionOptions]):
    """Measures `lite_motion` and `dynamic_degree_lite` on triplets of consecutive frames.

    Odd frames 1, 3, 5, ... are predicted from both neighbours, so that a video of N frames has
    ceil(N / 2) - 1 triplets and a trailing odd frame is left out, as in VBench.
    """

    Options = LiteMotionOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = (LITE_MOTION, DYNAMIC_DEGREE_LITE)
    BUDGET: ClassVar[str] = "triplets"

    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """The chosen middle frames and both neighbours of each."""
        return sorted({middle + step for middle in self._middles(clip) for step in (-1, 0, 1)})

    @override
    def start(self, target: Target, clip: ClipInfo) -> _MotionPass:
        """Begin one video; nothing is asked of the target."""
        return _MotionPass(clip, self._middles(clip), self._options.long_side)

    def _middles(self, clip: ClipInfo) -> tuple[int, ...]:
        triplets = max(0, (clip.frame_count + 1) // 2 - 1)
        return tuple(2 * k + 1 for k in linspace_indices(triplets, self._options.triplets))


class _MotionPass:
    """One video; holds two scaled frames at a time."""

    def __init__(self, clip: ClipInfo, middles: tuple[int, ...], long_side: int) -> None:
        self._clip = clip
        self._middles = middles
        self._wanted = frozenset(middles)
        self._long_side = long_side
        self._size: tuple[int, int] | None = None
        self._recent: list[tuple[int, Frames]] = []
        self._residuals: dict[int, float] = {}
        self._speeds: dict[int, float] = {}
        self._too_small = False

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        """Take the next wanted frames; see `ipvg_eval.metrics.evaluator.Pass`."""
        for index, frame in zip(indices, frames, strict=True):
            self._recent = [*self._recent[-2:], (index, self._scaled(frame))]
            if [number for number, _ in self._recent] == [index - 2, index - 1, index]:
                self._measure(index - 1, *(picture for _, picture in self._recent))

    def _scaled(self, frame: Frames) -> Frames:
        """A copy, since the caller's frames are only valid during the call; all of the first one's size."""
        small = shrink(frame, self._long_side)
        self._size = self._size or (small.shape[1], small.shape[0])
        if small.shape[1::-1] != self._size:
            return np.asarray(cv2.resize(small, self._size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
        return small.copy() if small is frame else small

    def _measure(self, middle: int, before: Frames, true: Frames, after: Frames) -> None:
        if middle not in self._wanted:
            return
        if min(before.shape[:2]) < MIN_SIDE:
            self._too_small = True
            return
        to_before, whole = middle_flow(before, after)
        self._residuals[middle] = residual(predict_middle(before, after, to_before), true)
        seconds = self._clip.times[middle + 1] - self._clip.times[middle - 1]
        if seconds > 0:
            self._speeds[middle] = fast_motion(whole) / seconds

    def finish(self) -> list[Measurement]:
        """Smoothness and amount of motion."""
        return [self._smoothness(), self._dynamic_degree()]

    def _smoothness(self) -> Measurement:
        residuals = np.array(list(self._residuals.values()), dtype=np.float64)
        return Measurement(
            name=LITE_MOTION.name,
            value=smoothness(residuals) if len(residuals) else None,
            reason=None if len(residuals) else self._nothing_measured(),
            per_frame=self._per_frame({i: 1.0 - value / 255.0 for i, value in self._residuals.items()}),
        )

    def _dynamic_degree(self) -> Measurement:
        speeds = list(self._speeds.values())
        reason = "the frames have no increasing times" if self._residuals else self._nothing_measured()
        return Measurement(
            name=DYNAMIC_DEGREE_LITE.name,
            value=float(np.mean(speeds, dtype=np.float64)) if speeds else None,
            reason=None if speeds else reason,
            per_frame=self._per_frame(self._speeds),
        )

    def _per_frame(self, values: Mapping[int, float]) -> FrameValues | None:
        """One entry per chosen middle frame; None where its triplet did not arrive whole."""
        if not self._middles:
            return None
        return FrameValues(indices=self._middles, values=tuple(values.get(i) for i in self._middles))

    def _nothing_measured(self) -> str:
        if not self._middles:
            return "fewer than 3 frames"
        return _TOO_SMALL if self._too_small else "no three consecutive frames could be decoded"
