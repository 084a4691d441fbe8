"""VBench's dynamic degree of a video: does anything move?"""

from __future__ import annotations

import math
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
from ipvg_eval.metrics.motion.flow import (
    FEWEST_FRAMES,
    flow_threshold,
    is_large_enough,
    moving_pairs_needed,
    pair_starts,
    sampling_step,
    strongest_flow,
)
from ipvg_eval.metrics.motion.raft import RaftFlow
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.target import Target
from ipvg_eval.metrics.weights.table import weights_of

SPEC = MetricSpec(
    name="dynamic_degree",
    version=1,
    higher_is_better=True,
    bounds=(0.0, 1.0),
    title="Dynamic degree",
    summary="1 if the strongest 5 % of optical flow is longer than 6 pixels (at 256 a side) in a quarter of "
    "the frames at about 8 per second, else 0. Per-frame values are that flow over the threshold: above 1 "
    "moves.",
    caveats="A yes or no per video that counts camera motion; depends on frame rate and length.",
    source="VBench @45e79ec (vbench 0.1.5) vbench/dynamic_degree.py; RAFT, arXiv 2003.12039",
    weights=weights_of("dynamic_degree"),
    licence="RAFT code and weights: BSD 3-Clause",
)


class FlowNetwork(Protocol):
    """Optical flow; see `RaftFlow.flow`."""

    def flow(self, first: Frames, second: Frames) -> npt.NDArray[np.float32]:
        """(2, height, width) flow from `first` to `second`."""
        ...


class DynamicDegreeOptions(EvaluatorOptions):
    """The published rule, and what may be changed of it.

    Attributes:
        max_pairs: look at no more than this many evenly spread pairs, and say so in a note; None takes all.
    """

    max_pairs: int | None = Field(default=None, ge=FEWEST_FRAMES - 1)


class DynamicDegree(Evaluator[DynamicDegreeOptions]):
    """Counts the pairs of sampled frames whose flow is strong.

    Deviations from the source: fewer than three sampled frames and sides of at most 120 pixels have no
    value, where the published code calls one frame still, two moving, and compares flow that is not a number.

    Attributes:
        network: the optical flow.
    """

    Options = DynamicDegreeOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = (SPEC,)
    BUDGET: ClassVar[str] = "max_pairs"

    def __init__(self, options: DynamicDegreeOptions, runtime: Runtime) -> None:
        super().__init__(options, runtime)
        self.network: FlowNetwork = RaftFlow(runtime)

    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """Both frames of every pair."""
        starts, step = self._starts(clip), sampling_step(clip.fps)
        return sorted({index for start in starts for index in (start, start + step)})

    @override
    def start(self, target: Target, clip: ClipInfo) -> DynamicPass:
        """Begin a video; references and prompt play no part."""
        return DynamicPass(self.network, self._starts(clip), clip)

    def _starts(self, clip: ClipInfo) -> tuple[int, ...]:
        return pair_starts(clip.frame_count, clip.fps, self._options.max_pairs)


class DynamicPass:
    """One video. Keeps one frame."""

    def __init__(self, network: FlowNetwork, starts: tuple[int, ...], clip: ClipInfo) -> None:
        self._network = network
        self._starts = starts
        self._wanted = frozenset(starts)
        self._clip = clip
        self._step = sampling_step(clip.fps)
        self._last: tuple[int, Frames] | None = None
        self._strengths: dict[int, float] = {}
        self._left_out: Counter[str] = Counter()

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        """Take the next sampled frames and compare each with the one before."""
        for index, frame in zip(indices, (frame.copy() for frame in frames), strict=True):
            start = index - self._step
            if start in self._wanted and self._last is not None and self._last[0] == start:
                self._compare(start, self._last[1], frame)
            self._last = index, frame

    def _compare(self, start: int, first: Frames, second: Frames) -> None:
        height, width = first.shape[:2]
        if first.shape != second.shape:
            self._left_out["the frame size changes"] += 1
        elif not is_large_enough(height, width):
            self._left_out[f"frames of {width}x{height} are too small for RAFT"] += 1
        else:
            strength = strongest_flow(self._network.flow(first, second)) / flow_threshold(height, width)
            if math.isfinite(strength):
                self._strengths[start] = strength
            else:
                self._left_out["the network's flow is not a number"] += 1

    def finish(self) -> list[Measurement]:
        """1.0 or 0.0; none from fewer than three sampled frames."""
        missing = len(self._starts) - len(self._strengths) - self._left_out.total()
        if missing:
            self._left_out["frames could not be decoded"] += missing
        pairs = len(self._strengths)
        if pairs + 1 < FEWEST_FRAMES:
            return [Measurement(name=SPEC.name, value=None, reason=self._reason())]
        moving = sum(strength > 1.0 for strength in self._strengths.values())
        return [
            Measurement(
                name=SPEC.name,
                value=float(moving >= moving_pairs_needed(pairs)),
                note=self._note(),
                per_frame=FrameValues(
                    indices=tuple(start + self._step for start in self._starts),
                    values=tuple(self._strengths.get(start) for start in self._starts),
                ),
            )
        ]

    def _reason(self) -> str:
        causes = "".join(f"; {why}" for why in sorted(self._left_out))
        return f"fewer than {FEWEST_FRAMES} sampled frames could be compared{causes}"

    def _note(self) -> str | None:
        planned, notes = len(self._starts), []
        possible = len(pair_starts(self._clip.frame_count, self._clip.fps))
        if planned < possible:
            notes.append(f"reduced frame budget: {planned} of {possible} frame pairs")
        for why, count in sorted(self._left_out.items()):
            notes.append(f"{count} of {planned} frame pairs left out: {why}")
        return "; ".join(notes) or None
