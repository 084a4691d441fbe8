"""Means of metrics over videos."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from ipvg_eval.core.combination import combine
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.scoring import Recipe, Scorer
from ipvg_eval.torchmetrics.of_videos import OfVideos

if TYPE_CHECKING:
    from ipvg_eval.scoring.scorer import Clip, Pictured


class VideoMeans(OfVideos):
    """The mean of every metric of a scorer over videos, each of which is decoded and looked at once.

    `compute` gives a dict of scalars, float64, by metric; weighted sums of the means are among them. This is
    what to use for several metrics that share networks, such as `cur_score` and `arc_score`.
    """

    def __init__(
        self,
        recipe: Recipe | Scorer | None = None,
        *,
        metrics: Sequence[str] | None = None,
        **options: Any,
    ) -> None:
        """Load the networks, unless they are loaded.

        Args:
            recipe: how videos are measured, or a scorer that does; `Recipe()`, the published metrics, where
                None.
            metrics: which of its metrics; all where None.
            options: those of every torchmetrics class (`sync_on_compute`, `process_group`, ...).

        Raises:
            MetricsError: the protocol, its weights or the device cannot be used.
        """
        super().__init__(recipe, metrics, **options)
        for spec in self.scorer.specs:
            # Names of its own: equal states of two metrics would be taken for one in a MetricCollection.
            self.add_state(f"values_of_{spec.name}", [], dist_reduce_fx="cat", persistent=True)

    def update(
        self,
        video: Clip,
        reference: Pictured | Sequence[Pictured] = (),
        prompt: str = "",
        *,
        timeline: str | None = None,
        fps: float | Fraction | None = None,
        times: Sequence[float] | None = None,
    ) -> None:
        """Measure one video; the arguments are those of `Scorer`.

        Args:
            video: a file; or frames, uint8, RGB: (n, height, width, 3), or a tensor (n, 3, height, width).
            reference: one reference picture or several.
            prompt: its text prompt.
            timeline: which action when.
            fps: of frames, per second; 25 where None.
            times: of frames, in seconds, (n,).

        Raises:
            UsageError: frames or a reference cannot be used as they are.
        """
        measured = self.scorer.measured(
            video, reference=reference, prompt=prompt, timeline=timeline, fps=fps, times=times
        )
        values = {one.name: one.value for one in measured.row.measurements}
        for spec in self.scorer.specs:
            value = values.get(spec.name)
            entry = torch.tensor([math.nan if value is None else value], dtype=torch.float64)
            getattr(self, f"values_of_{spec.name}").append(entry.to(self.device))
        self._keep_reasons(measured)

    def compute(self) -> dict[str, torch.Tensor]:
        """The means over the videos that have a value, by metric; NaN where none has."""
        means = {spec.name: self._mean(spec.name) for spec in self.scorer.specs}
        for combination in self.scorer.protocol.combined:
            means[combination.name] = combine(combination, means).value
        return {name: self._number(math.nan if value is None else value) for name, value in means.items()}

    def _mean(self, metric: str) -> float | None:
        state = getattr(self, f"values_of_{metric}")
        entries = torch.cat(state).tolist() if isinstance(state, list) and state else []
        if isinstance(state, torch.Tensor):  # the states of all processes
            entries = state.tolist()
        values = [value for value in entries if not math.isnan(value)]
        return math.fsum(values) / len(values) if values else None


class VideoMean(VideoMeans):
    """The mean of one metric over videos: a scalar, float64; `spec` has its bounds, unit, caveats and source.

    The classes below are this one with a metric of the published protocol; any other metric is
    `VideoMean(Recipe(protocol="lite"), metric="lite_identity")`.
    """

    METRIC: ClassVar[str] = ""

    def __init__(
        self, recipe: Recipe | Scorer | None = None, *, metric: str | None = None, **options: Any
    ) -> None:
        """Load the networks that the metric needs, unless they are loaded.

        Args:
            recipe: how videos are measured, or a scorer that does and knows the metric.
            metric: which one; the class's own where None.
            options: those of every torchmetrics class.

        Raises:
            MetricsError: the protocol has no such metric, or its weights or the device cannot be used.
        """
        super().__init__(recipe, metrics=[metric or self.METRIC], **options)

    @property
    def spec(self) -> MetricSpec:
        """What its number means: unit, bounds, direction, source."""
        return self.scorer.specs[0]

    @property
    def higher_is_better(self) -> bool | None:  # type: ignore[override]
        """Direction; None where neither is better."""
        return self.spec.higher_is_better

    @property
    def plot_lower_bound(self) -> float | None:  # type: ignore[override]
        """The smallest value that it can have."""
        return self.spec.bounds[0]

    @property
    def plot_upper_bound(self) -> float | None:  # type: ignore[override]
        """The largest."""
        return self.spec.bounds[1]

    def compute(self) -> torch.Tensor:  # type: ignore[override]
        """The mean over the videos that have a value; NaN, with a warning, where none has."""
        name = self.spec.name
        mean = self._mean(name)
        if mean is None:
            why = dict.fromkeys(reasons[name] for reasons in self.missing if name in reasons)
            return self._nothing(f"no video has a {name}{': ' if why else ''}{'; '.join(why)}")
        return self._number(mean)


class CurScore(VideoMean):
    """Identity: mean cosine of the faces with the reference's by CurricularFace, in [0, 1]."""

    METRIC = "cur_score"
    higher_is_better = True


class ArcScore(VideoMean):
    """Identity: mean cosine of the faces with the reference's by ArcFace, in [0, 1]."""

    METRIC = "arc_score"
    higher_is_better = True


class ClipScoreVideo(VideoMean):
    """Prompt and frames with CLIP."""

    METRIC = "clip_score"
    higher_is_better = True


class GmeScore(VideoMean):
    """Prompt and frames with GME."""

    METRIC = "gme_score"
    higher_is_better = True


class MotionSmoothness(VideoMean):
    """VBench's frame interpolation residual, in [0, 1]; needs nothing but the video."""

    METRIC = "motion_smoothness"
    higher_is_better = True


class ImagingQuality(VideoMean):
    """VBench's MUSIQ quality; needs nothing but the video."""

    METRIC = "imaging_quality"
    higher_is_better = True


class DynamicDegree(VideoMean):
    """Share of the videos in which anything moves; needs nothing but the video."""

    METRIC = "dynamic_degree"
    higher_is_better = True
