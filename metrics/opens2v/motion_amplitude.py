"""OpenS2V-Eval's motion amplitude of a video, the motion score of its version 1.0."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field
from typing_extensions import override

from ipvg_eval.core.measurement import ClipInfo, Frames, FrameValues, Measurement
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.evaluator import Evaluator, EvaluatorOptions, missing
from ipvg_eval.metrics.opens2v.farneback import Grey, grey, is_too_wide, mean_flow
from ipvg_eval.metrics.opens2v.normalisation import unit_size
from ipvg_eval.metrics.opens2v.spec import AMPLITUDE, AMPLITUDE_UNIT
from ipvg_eval.metrics.sampling import linspace_indices
from ipvg_eval.metrics.target import Target


class AmplitudeOptions(EvaluatorOptions):
    """The published rule, and what may be changed of it.

    Attributes:
        max_pairs: look at no more than this many evenly spread pairs of consecutive frames, and say so in a
            note; None takes all.
    """

    max_pairs: int | None = Field(default=None, ge=1)


class MotionAmplitude(Evaluator[AmplitudeOptions]):
    """Averages dense optical flow between consecutive frames.

    Measures motion_amplitude and the same on the scale from 0 to 1.
    """

    Options = AmplitudeOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = (AMPLITUDE, AMPLITUDE_UNIT)
    BUDGET: ClassVar[str] = "max_pairs"

    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """Both frames of every pair."""
        return sorted({index for start in self._starts(clip) for index in (start, start + 1)})

    @override
    def start(self, target: Target, clip: ClipInfo) -> AmplitudePass:
        """Begin a video; references and prompt play no part."""
        return AmplitudePass(self._starts(clip), max(0, clip.frame_count - 1))

    def _starts(self, clip: ClipInfo) -> tuple[int, ...]:
        pairs = max(0, clip.frame_count - 1)
        budget = self._options.max_pairs
        return linspace_indices(pairs, pairs if budget is None else budget)


class AmplitudePass:
    """One video. Keeps one grey frame."""

    def __init__(self, starts: tuple[int, ...], possible: int) -> None:
        self._starts = starts
        self._wanted = frozenset(starts)
        self._possible = possible
        self._last: tuple[int, Grey] | None = None
        self._means: dict[int, float] = {}
        self._left_out: Counter[str] = Counter()

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        """Take the next frames and compare each with the one before."""
        for index, frame in zip(indices, frames, strict=True):
            picture = grey(frame)
            start = index - 1
            if start in self._wanted and self._last is not None and self._last[0] == start:
                self._compare(start, self._last[1], picture)
            self._last = index, picture

    def _compare(self, start: int, first: Grey, second: Grey) -> None:
        height, width = first.shape
        if first.shape != second.shape:
            self._left_out["the frame size changes"] += 1
        elif is_too_wide(height, width):
            self._left_out[f"frames of {width}x{height} are too wide"] += 1
        else:
            self._means[start] = mean_flow(first, second)

    def finish(self) -> list[Measurement]:
        """The size of the mean flow over the pairs that came; none where none came."""
        lost = len(self._starts) - len(self._means) - self._left_out.total()
        if lost:
            self._left_out["frames could not be decoded"] += lost
        if not self._means:
            return missing(MotionAmplitude.SPECS, self._reason())
        value, note = abs(math.fsum(self._means.values()) / len(self._means)), self._note()
        per_frame = FrameValues(
            indices=tuple(start + 1 for start in self._starts),
            values=tuple(self._means.get(start) for start in self._starts),
        )
        return [
            Measurement(name=AMPLITUDE.name, value=value, note=note, per_frame=per_frame),
            Measurement(name=AMPLITUDE_UNIT.name, value=unit_size(value), note=note),
        ]

    def _reason(self) -> str:
        if not self._starts:
            return "fewer than 2 frames"
        return f"no two consecutive frames could be compared; {'; '.join(sorted(self._left_out))}"

    def _note(self) -> str | None:
        planned, notes = len(self._starts), []
        if planned < self._possible:
            notes.append(f"reduced frame budget: {planned} of {self._possible} frame pairs")
        for why, count in sorted(self._left_out.items()):
            notes.append(f"{count} of {planned} frame pairs left out: {why}")
        return "; ".join(notes) or None
