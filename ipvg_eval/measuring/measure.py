"""The numbers of any video, by the code that scores a submission."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ipvg_eval.core.budget import Budget
from ipvg_eval.core.errors import UsageError
from ipvg_eval.core.run import RunInfo
from ipvg_eval.core.summary import CorpusSummary
from ipvg_eval.measuring.asked import Asked, AskedVideos, as_scored
from ipvg_eval.results import Run
from ipvg_eval.sandbox import ProcessLimits
from ipvg_eval.scoring import Recipe, Scorer, score
from ipvg_eval.scoring.run import OnSample
from ipvg_eval.scoring.video_measurements import VideoMeasurements

if TYPE_CHECKING:
    from ipvg_eval.scoring.scorer import Clip, Pictured

PathLike = Path | str


@dataclass(frozen=True, kw_only=True)
class Measurements:
    """What was measured of several videos.

    Attributes:
        videos: in the order asked.
        corpus: metrics of all videos together (face FID), with the reason where one has no value.
        info: of the run: protocol, weights, device, verdicts per metric.
        left_out: metrics of the protocol that need timelines, where no video has one.
    """

    videos: tuple[VideoMeasurements, ...]
    corpus: tuple[CorpusSummary, ...]
    info: RunInfo
    left_out: tuple[str, ...] = ()

    @property
    def table(self) -> pd.DataFrame:
        """A row per video: video, the columns given along, status, reason, then a float column per metric."""
        metrics = [*(spec.name for spec in self.info.sample_metrics), *self.left_out]
        given = list(dict.fromkeys(name for one in self.videos for name in one.columns))
        records = [
            {
                "video": one.video,
                **{name: one.columns.get(name) for name in given},
                "status": one.status,
                "reason": one.reason,
                **one.values,
            }
            for one in self.videos
        ]
        table = pd.DataFrame(records, columns=["video", *given, "status", "reason", *metrics])
        return table.astype(dict.fromkeys(metrics, "float64"))


def measure(
    video: Clip,
    *,
    reference: Pictured | Sequence[Pictured] = (),
    prompt: str = "",
    timeline: str | None = None,
    fps: float | Fraction | None = None,
    times: Sequence[float] | None = None,
    protocol: str | None = None,
    recipe: Recipe | Scorer | None = None,
) -> VideoMeasurements:
    """Measure one video, a file or frames in memory.

    Args:
        video: a file; or RGB frames, uint8, as an array (n, height, width, 3), a torch tensor
            (n, 3, height, width) on any device, or a list of pictures.
        reference: one reference picture, or a list: paths, Pillow's pictures, arrays (height, width, 3),
            tensors (3, height, width).
        prompt: its text prompt.
        timeline: which action when.
        fps: of frames in memory, per second; 25 where neither this nor times are given.
        times: of frames in memory, in seconds from the first, (n,).
        protocol: short for `Recipe(protocol=...)`.
        recipe: how it is measured; what `Recipe(...).build()` gives serves any number of calls.

    Returns:
        Its numbers, the same to the last bit as `score` gives. What a metric needs and is not given makes it
        missing, with the reason.

    Raises:
        UsageError: a file is not there, a reference or frames cannot be used, or both a recipe and a protocol
            are given.
        MetricsError: the protocol, its weights or the device cannot be used.
        Unavailable: the installation is broken.
    """
    scorer = _scorer(recipe, protocol)
    return scorer(video, reference=reference, prompt=prompt, timeline=timeline, fps=fps, times=times)


def measure_all(
    asked: Sequence[Asked],
    *,
    protocol: str | None = None,
    recipe: Recipe | Scorer | None = None,
    out: PathLike | None = None,
    limits: ProcessLimits | None = None,
    budget: Budget | None = None,
    decoders: int = 2,
    command: tuple[str, ...] | None = None,
    on_sample: OnSample | None = None,
) -> Measurements:
    """Measure any number of videos.

    Args:
        asked: the videos, with what they were made from.
        protocol: short for `Recipe(protocol=...)`.
        recipe: how they are measured.
        out: run folder, which `report` and `compare` read and which a later call goes on with; none is kept
            where None.
        limits: what each decoder process may use.
        budget: what the videos may cost, all together; by their number where None.
        decoders: how many videos are decoded at a time.
        command: the command line, for provenance.
        on_sample: called after every video.

    Raises:
        UsageError, MetricsError, Unavailable: as `measure`.
        RunError: the run folder holds another run, or cannot be written.
    """
    videos = as_scored(asked)
    scorer = _scorer(recipe, protocol)
    left_out = () if any(one.timeline is not None for one in asked) else scorer.needing_timelines
    with tempfile.TemporaryDirectory(prefix="ipvg-measure-") as temporary:
        run = score(
            videos.submission,
            testset=videos.testset,
            recipe=scorer,
            team="measured",
            out=temporary if out is None else out,
            limits=limits,
            budget=budget,
            decoders=decoders,
            command=command,
            on_sample=on_sample,
        )
        return Measurements(
            videos=tuple(_of_run(run, videos, left_out)),
            corpus=run.summary.corpus,
            info=run.info,
            left_out=left_out,
        )


def _scorer(recipe: Recipe | Scorer | None, protocol: str | None) -> Scorer:
    if recipe is not None and protocol is not None:
        raise UsageError("a recipe and a protocol are given", hint="Name the protocol in the recipe.")
    if isinstance(recipe, Scorer):
        return recipe
    return (recipe or (Recipe() if protocol is None else Recipe(protocol=protocol))).build()


def _of_run(run: Run, videos: AskedVideos, left_out: Sequence[str]) -> Iterator[VideoMeasurements]:
    rows, rules = run.folder.journal.read(), run.info.protocol
    for name, one in videos.by_id.items():
        yield VideoMeasurements.of_row(
            rows[name], combined=rules.combined, notice=rules.notice, left_out=left_out, columns=one.columns
        )
