"""How often a video cuts, by PySceneDetect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field

from ipvg_eval.core.measurement import ClipInfo, Frames, Measurement
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.evaluator import NO_FRAME, Evaluator, EvaluatorOptions
from ipvg_eval.metrics.scaling import shrink
from ipvg_eval.metrics.target import Target
from ipvg_eval.metrics.third_party import published_module

CUTS = MetricSpec(
    name="cuts",
    version=1,
    higher_is_better=None,
    bounds=(0.0, None),
    title="Cuts",
    summary="Number of hard cuts in the video, found by PySceneDetect's content detector.",
    caveats="A flash can count as a cut and a dissolve does not. A timeline of one scene asks for none; one "
    "that changes the scene may ask for some.",
    source="number of cuts as in MinT (arXiv 2412.05263); scenedetect.ContentDetector",
)

LONG_SIDE = 256
"""Frames are compared at this size; PySceneDetect shrinks them likewise."""


class CutsOptions(EvaluatorOptions):
    """Rules of the measurement.

    Attributes:
        frame_limit: consecutive frames looked at, from the first; a cut shows between neighbours only.
        threshold: mean change of hue, saturation and value (0..255) from which on it is a cut.
        shortest: frames between two cuts, at least.
    """

    frame_limit: int = Field(default=960, ge=2)
    threshold: float = Field(default=27.0, gt=0, le=255)
    shortest: int = Field(default=4, ge=1)


class Cuts(Evaluator[CutsOptions]):
    """Measures `cuts`."""

    Options = CutsOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = (CUTS,)
    BUDGET: ClassVar[str] = "frame_limit"

    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """Every frame up to the limit."""
        return range(min(clip.frame_count, self._options.frame_limit))

    def start(self, _target: Target, clip: ClipInfo) -> _CutsPass:
        """Begin one video; nothing of the sample is asked for."""
        return _CutsPass(clip, self._options)


class _CutsPass:
    """One video; holds nothing but the detector's state."""

    def __init__(self, clip: ClipInfo, options: CutsOptions) -> None:
        package = published_module("scenedetect", package="scenedetect-headless")
        self._timecode = package.FrameTimecode
        self._detector = package.ContentDetector(threshold=options.threshold, min_scene_len=options.shortest)
        self._clip = clip
        self._limit = options.frame_limit
        self._read = 0
        self._cuts: list[int] = []

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        """Take the next wanted frames; see `ipvg_eval.metrics.evaluator.Pass`."""
        for index, frame in zip(indices, frames, strict=True):
            at = self._timecode(index, fps=max(self._clip.fps, 1.0))
            bgr = np.ascontiguousarray(shrink(frame, LONG_SIDE)[:, :, ::-1])
            self._cuts += [cut.frame_num for cut in self._detector.process_frame(at, bgr)]
            self._read += 1

    def finish(self) -> list[Measurement]:
        """The one measurement."""
        if not self._read:
            return [Measurement(name=CUTS.name, value=None, reason=NO_FRAME)]
        wanted = min(self._clip.frame_count, self._limit)
        notes = []
        if self._cuts:
            notes.append(f"at frame {', '.join(map(str, self._cuts[:8]))}")
        if wanted < self._clip.frame_count:
            notes.append(f"the first {wanted} of {self._clip.frame_count} frames were looked at")
        if self._read < wanted:
            notes.append(f"{self._read} of {wanted} frames could be read")
        return [Measurement(name=CUTS.name, value=float(len(self._cuts)), note="; ".join(notes) or None)]
