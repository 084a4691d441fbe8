"""The numbers of any video, by the code that scores a submission."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ipvg_eval.core.budget import Budget
from ipvg_eval.core.run import RunInfo
from ipvg_eval.core.summary import CorpusSummary
from ipvg_eval.measuring.asked import Asked, AskedVideos, as_scored
from ipvg_eval.results import Run
from ipvg_eval.sandbox import ProcessLimits
from ipvg_eval.scoring import Recipe, Scorer, score
from ipvg_eval.scoring.run import OnSample

PathLike = Path | str


@dataclass(frozen=True, kw_only=True)
class VideoMeasurements:
    """What was measured of one video.

    Attributes:
        video: the file, as it was given.
        status: "scored", or why there are no values: "undecodable", "crashed".
        reason: why there are none, or None.
        values: every metric of the protocol that one video has, by name; None where it is missing.
        missing: why, by metric.
        notes: what a reader must know of a value, by metric.
        frames: per metric that has them, the value of every frame that was looked at, by frame index.
        columns: what belongs to the video and was given along.
        notice: what a reader must know first (random weights, rules that are not published); may be empty.
    """

    video: str
    status: str
    reason: str | None
    values: Mapping[str, float | None]
    missing: Mapping[str, str]
    notes: Mapping[str, str]
    frames: Mapping[str, Mapping[int, float | None]]
    columns: Mapping[str, str]
    notice: str

    def __getitem__(self, metric: str) -> float | None:
        """The value of a metric; None where it is missing.

        Raises:
            KeyError: the protocol has no such metric.
        """
        return self.values[metric]


@dataclass(frozen=True, kw_only=True)
class Measurements:
    """What was measured of several videos.

    Attributes:
        videos: in the order asked.
        corpus: metrics of all videos together (face FID), with the reason where one has no value.
        info: of the run: protocol, weights, device, verdicts per metric.
    """

    videos: tuple[VideoMeasurements, ...]
    corpus: tuple[CorpusSummary, ...]
    info: RunInfo

    @property
    def table(self) -> pd.DataFrame:
        """A row per video: video, the columns given along, status, reason, then a float column per metric."""
        metrics = [spec.name for spec in self.info.sample_metrics]
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
    video: PathLike,
    *,
    reference: PathLike | Sequence[PathLike] = (),
    prompt: str = "",
    timeline: str | None = None,
    protocol: str | None = None,
    recipe: Recipe | Scorer | None = None,
) -> VideoMeasurements:
    """Measure one video file.

    Args:
        video: the file.
        reference: one reference picture, or several.
        prompt: its text prompt.
        timeline: which action when.
        protocol: short for `Recipe(protocol=...)`.
        recipe: how it is measured; `Recipe(...).build()` once serves any number of calls.

    Returns:
        Its numbers, the same to the last bit as `score` gives. What a metric needs and is not given makes it
        missing, with the reason.

    Raises:
        UsageError: a file is not there, a reference cannot be read, both a recipe and a protocol are given.
        MetricsError: the protocol, its weights or the device cannot be used.
        Unavailable: the installation is broken.
    """
    references = [reference] if isinstance(reference, str | Path) else reference
    one = Asked(video=Path(video), references=tuple(map(Path, references)), prompt=prompt, timeline=timeline)
    return measure_all([one], protocol=protocol, recipe=recipe).videos[0]


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
    with tempfile.TemporaryDirectory(prefix="ipvg-measure-") as temporary:
        run = score(
            videos.submission,
            testset=videos.testset,
            protocol=protocol,
            recipe=recipe,
            team="measured",
            out=temporary if out is None else out,
            limits=limits,
            budget=budget,
            decoders=decoders,
            command=command,
            on_sample=on_sample,
        )
        return Measurements(videos=tuple(_of_run(run, videos)), corpus=run.summary.corpus, info=run.info)


def _of_run(run: Run, videos: AskedVideos) -> Iterator[VideoMeasurements]:
    metrics = [spec.name for spec in run.info.sample_metrics]
    rows = {row["sample"]: row for row in run.samples.to_dict("records")}
    frames: dict[str, dict[str, dict[int, float | None]]] = {}
    for sample, metric, index, value in run.frames[["sample", "metric", "frame", "value"]].itertuples(
        index=False
    ):
        frames.setdefault(sample, {}).setdefault(metric, {})[int(index)] = _number(value)
    for name, one in videos.by_id.items():
        row = rows[name]
        yield VideoMeasurements(
            video=name,
            status=row["status"],
            reason=None if pd.isna(row["reason"]) else row["reason"],
            values={metric: _number(row[metric]) for metric in metrics},
            missing=_texts(row["missing"]),
            notes=_texts(row["notes"]),
            frames=frames.get(name, {}),
            columns=dict(one.columns),
            notice=run.info.protocol.notice,
        )


def _number(value: float | None) -> float | None:
    return None if value is None or pd.isna(value) else float(value)


def _texts(cell: str | None) -> dict[str, str]:
    return {} if cell is None or pd.isna(cell) else json.loads(cell)
