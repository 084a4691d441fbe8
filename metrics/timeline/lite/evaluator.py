"""Timelines without any download: does the video change when a new action is prompted?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from ipvg_eval.core.measurement import ClipInfo, Frames, FrameValues, Measurement
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.core.timeline.check import snap_distance, video_problems
from ipvg_eval.core.timeline.model import summary
from ipvg_eval.core.timeline.parse import parse_timeline
from ipvg_eval.metrics.evaluator import Evaluator, EvaluatorOptions
from ipvg_eval.metrics.target import Target
from ipvg_eval.metrics.timeline.frame_sampling import sample
from ipvg_eval.metrics.timeline.lite.change_points import boundary_match, change_points, inner_boundaries
from ipvg_eval.metrics.timeline.lite.colour_edge_histograms import colour_edge_histogram

LITE_BOUNDARY_MATCH = MetricSpec(
    name="lite_boundary_match",
    version=1,
    higher_is_better=True,
    bounds=(0.0, 1.0),
    title="Changes at the prompted boundaries (training-free)",
    summary="Mean over prompted boundaries of 1 - distance / 0.5 s to the video's own change points, matched "
    "one to one; as many change points are looked for as there are boundaries.",
    caveats="It looks at colours and edges, not at actions: a cut at the right moment scores 1 whatever it "
    "shows, in whatever order, and actions that change in one unchanged scene may be missed.",
    source="change points by ruptures.KernelCPD (Arlot et al. 2019, linear kernel) on colour and edge "
    "histograms, in place of text-video alignment",
    proxy=True,
)


class LiteTimelineOptions(EvaluatorOptions):
    """Rules of the training-free timeline measurement.

    Attributes:
        rate: frames looked at per second of video.
        frame_limit: frames looked at per video, at most.
        tolerance: distance in seconds at which a change no longer counts for a boundary.
        least_change: smallest cosine distance between descriptors on both sides of a change.
    """

    rate: float = Field(default=8.0, gt=0, le=60)
    frame_limit: int = Field(default=480, ge=2)
    tolerance: float = Field(default=0.5, gt=0)
    least_change: float = Field(default=0.02, ge=0, le=2)


class LiteTimeline(Evaluator[LiteTimelineOptions]):
    """Measures `lite_boundary_match` on evenly sampled frames."""

    Options = LiteTimelineOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = (LITE_BOUNDARY_MATCH,)
    BUDGET: ClassVar[str] = "frame_limit"

    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """Frames at an even rate."""
        return sample(clip, self._options.rate, self._options.frame_limit).wanted

    def start(self, target: Target, clip: ClipInfo) -> _ChangePass:
        """Begin one video; only the sample's timeline is asked for."""
        if target.timeline is None:
            return _ChangePass(clip, (), self._options, "the sample has no timeline")
        timeline = parse_timeline(target.timeline)
        if not timeline.events:
            return _ChangePass(
                clip, (), self._options, f"the timeline cannot be used: {summary(timeline.problems)}"
            )
        boundaries = inner_boundaries(timeline.events, clip.duration, snap_distance(clip.fps))
        reason = None if boundaries else "no boundary between events lies inside the video"
        problems = [
            *(problem for problem in timeline.problems if problem.severity == "error"),
            *video_problems(timeline, duration=clip.duration, fps=clip.fps),
        ]
        return _ChangePass(clip, boundaries, self._options, reason, summary(problems))


class _ChangePass:
    """One video; holds one descriptor per frame."""

    def __init__(
        self,
        clip: ClipInfo,
        boundaries: tuple[float, ...],
        options: LiteTimelineOptions,
        reason: str | None,
        odd: str = "",
    ) -> None:
        self._clip = clip
        self._odd = odd
        self._boundaries = boundaries
        self._options = options
        self._reason = reason
        self._rows: dict[int, npt.NDArray[np.float32]] = {}

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        """Take the next wanted frames; see `ipvg_eval.metrics.evaluator.Pass`."""
        if self._reason is None:
            for index, frame in zip(indices, frames, strict=True):
                self._rows[index] = colour_edge_histogram(frame)

    def finish(self) -> list[Measurement]:
        """The one measurement; its frame values are the cosine distances to the frame before."""
        name = LITE_BOUNDARY_MATCH.name
        if self._reason is None and len(self._rows) < 2:
            self._reason = "fewer than 2 frames could be read"
        if self._reason is not None:
            return [Measurement(name=name, value=None, reason=self._reason, note=self._odd or None)]
        indices, rows = tuple(self._rows), np.stack(list(self._rows.values()))
        firsts = change_points(rows, len(self._boundaries), least=self._options.least_change)
        times = np.array([self._clip.times[i] for i in indices])
        # The change lies somewhere between the last frame before it and the first after it.
        moments = [float((times[i - 1] + times[i]) / 2.0) for i in firsts]
        credit = boundary_match(moments, self._boundaries, self._options.tolerance)
        counts = f"{len(moments)} changes found for {len(self._boundaries)} boundaries"
        steps = 1.0 - (rows[1:].astype(np.float64) * rows[:-1]).sum(axis=1)
        return [
            Measurement(
                name=name,
                value=float(credit.mean()),
                note="; ".join(filter(None, (counts, self._odd))),
                per_frame=FrameValues(
                    indices=indices, values=(None, *(max(0.0, float(step)) for step in steps))
                ),
            )
        ]
