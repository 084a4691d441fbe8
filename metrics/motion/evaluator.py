"""VBench's motion smoothness of a video."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import Field
from typing_extensions import override

from ipvg_eval.core.measurement import ClipInfo, Frames, FrameValues, Measurement
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.evaluator import Evaluator, EvaluatorOptions
from ipvg_eval.metrics.motion.amt import AmtInterpolator
from ipvg_eval.metrics.motion.interpolation import (
    SMALLEST_MEMORY_GIB,
    clip_smoothness,
    is_large_enough,
    mean_absolute_difference,
    pair_count,
    pair_starts,
    scale_factor,
    smoothness,
)
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.target import Target
from ipvg_eval.metrics.weights.table import weights_of

SPEC = MetricSpec(
    name="motion_smoothness",
    version=1,
    higher_is_better=True,
    bounds=(0.0, 1.0),
    title="Motion smoothness",
    summary="How well AMT-S predicts every odd frame from its two neighbours: (255 - mean absolute "
    "difference) / 255. Per-frame values are the odd frames' scores. A clip that stands still scores high.",
    caveats="A still picture has the best value: read it beside dynamic_degree. Depends on the frame "
    "rate; cuts lower it.",
    source="VBench @45e79ec (vbench 0.1.5) vbench/motion_smoothness.py; AMT-S, arXiv 2304.09790",
    weights=weights_of("motion_smoothness"),
    licence="AMT code CC BY-NC 4.0, weights CC BY-NC-SA 4.0: non-commercial use only",
)


class Interpolator(Protocol):
    """Predicts middle frames; see `AmtInterpolator.middle`."""

    def middle(
        self, first: Sequence[Frames], second: Sequence[Frames], *, scale: float
    ) -> tuple[Frames, npt.NDArray[np.bool_]]:
        """Middle frames of n pairs, and which of them are usable."""
        ...


class MotionSmoothnessOptions(EvaluatorOptions):
    """The published rule, and what may be changed of it.

    Attributes:
        memory_gib: None for the rule of a `torch.device` (no shrinking); else total GPU memory in GiB for
            the rule of the string "cuda", which shrinks videos above 720p.
        pairs_per_forward: pairs per forward pass. 1 is the published loop, and faster on a CPU.
        max_pairs: score at most this many evenly spread pairs, and say so in a note; None scores all.
    """

    memory_gib: float | None = Field(default=None, gt=SMALLEST_MEMORY_GIB)
    pairs_per_forward: int = Field(default=1, ge=1)
    max_pairs: int | None = Field(default=None, ge=1)


class MotionSmoothness(Evaluator[MotionSmoothnessOptions]):
    """Compares odd frames with what AMT-S makes of their even neighbours.

    Deviation from the source: a video whose padded and scaled side is under 128 pixels has no value, where
    the published code scores predictions that are not numbers.

    Attributes:
        interpolator: the network.
    """

    Options = MotionSmoothnessOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = (SPEC,)
    BUDGET: ClassVar[str] = "max_pairs"

    def __init__(self, options: MotionSmoothnessOptions, runtime: Runtime) -> None:
        super().__init__(options, runtime)
        self.interpolator: Interpolator = AmtInterpolator(runtime)

    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """Every frame up to the last even one, or those of the chosen pairs."""
        starts = pair_starts(clip.frame_count, self._options.max_pairs)
        return sorted({start + step for start in starts for step in range(3)})

    @override
    def start(self, target: Target, clip: ClipInfo) -> SmoothnessPass:
        """Begin a video; references and prompt play no part."""
        return SmoothnessPass(self._options, self.interpolator, clip)


class SmoothnessPass:
    """One video. Keeps at most two frames and the pairs of one forward pass."""

    def __init__(self, options: MotionSmoothnessOptions, interpolator: Interpolator, clip: ClipInfo) -> None:
        self._options = options
        self._interpolator = interpolator
        self._clip = clip
        self._starts = pair_starts(clip.frame_count, options.max_pairs)
        self._wanted = frozenset(self._starts)
        self._recent: dict[int, Frames] = {}
        self._waiting: list[tuple[int, Frames, Frames, Frames]] = []
        self._differences: dict[int, float] = {}
        self._left_out: Counter[str] = Counter()

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        """Take the next frames and score the pairs that they complete."""
        for index, frame in zip(indices, (frame.copy() for frame in frames), strict=True):
            if index - 2 in self._wanted and index - 2 in self._recent and index - 1 in self._recent:
                self._queue(index - 2, self._recent[index - 2], self._recent[index - 1], frame)
            self._recent = {i: kept for i, kept in self._recent.items() if i >= index - 1}
            self._recent[index] = frame

    def _queue(self, start: int, first: Frames, middle: Frames, last: Frames) -> None:
        if not first.shape == middle.shape == last.shape:
            self._left_out["the frame size changes"] += 1
            return
        if not is_large_enough(first.shape[0], first.shape[1], self._scale(first)):
            self._left_out[f"frames of {first.shape[1]}x{first.shape[0]} are too small for AMT-S"] += 1
            return
        if self._waiting and self._waiting[0][1].shape != first.shape:
            self._flush()
        self._waiting.append((start, first, middle, last))
        if len(self._waiting) == self._options.pairs_per_forward:
            self._flush()

    def _scale(self, frame: Frames) -> float:
        return scale_factor(frame.shape[0], frame.shape[1], self._options.memory_gib)

    def _flush(self) -> None:
        if not self._waiting:
            return
        starts, firsts, middles, lasts = zip(*self._waiting, strict=True)
        self._waiting = []
        predictions, usable = self._interpolator.middle(firsts, lasts, scale=self._scale(firsts[0]))
        for start, middle, predicted, is_usable in zip(starts, middles, predictions, usable, strict=True):
            if is_usable:
                self._differences[start] = mean_absolute_difference(middle, predicted)
            else:
                self._left_out["the network's prediction is not a number"] += 1

    def finish(self) -> list[Measurement]:
        """The mean over scored pairs; none where no three frames in a row could be compared."""
        self._flush()
        missing = len(self._starts) - len(self._differences) - self._left_out.total()
        if missing:
            self._left_out["frames could not be decoded"] += missing
        if not self._differences:
            return [Measurement(name=SPEC.name, value=None, reason=self._reason())]
        scores = {start: smoothness(difference) for start, difference in self._differences.items()}
        return [
            Measurement(
                name=SPEC.name,
                value=clip_smoothness([self._differences[start] for start in sorted(self._differences)]),
                note=self._note(),
                per_frame=FrameValues(
                    indices=tuple(start + 1 for start in self._starts),
                    values=tuple(scores.get(start) for start in self._starts),
                ),
            )
        ]

    def _reason(self) -> str:
        if not self._starts:
            return f"fewer than 3 frames ({self._clip.frame_count})"
        return "no pair of frames could be scored: " + ", ".join(sorted(self._left_out))

    def _note(self) -> str | None:
        planned, notes = len(self._starts), []
        possible = pair_count(self._clip.frame_count)
        if planned < possible:
            notes.append(f"reduced frame budget: {planned} of {possible} frame pairs")
        notes += [
            f"{n} of {planned} frame pairs left out: {why}" for why, n in sorted(self._left_out.items())
        ]
        return "; ".join(notes) or None
