"""The per-frame values of a run, ready to be drawn."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from markupsafe import Markup

from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.errors import RunError
from ipvg_eval.report import charts
from ipvg_eval.report.samples import Sample
from ipvg_eval.results.reading import Run
from ipvg_eval.results.summary import number

_COLUMNS = {"sample", "metric", "frame", "time", "value"}
_ANY_RATE = 1.0


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One metric over one video.

    Attributes:
        spec: the metric.
        chart: the drawing.
        words: the same for those who cannot see it.
        points: JSON list of [frame, seconds, value or null], for reading values off the drawing.
    """

    spec: MetricSpec
    chart: Markup
    words: str
    points: str


class Curves:
    """Every per-frame value of a run; all curves of a metric share the value axis."""

    def __init__(self, run: Run) -> None:
        """Sort the frames by sample.

        Raises:
            RunError: frames.parquet lacks a column.
        """
        if lacking := _COLUMNS - set(run.frames.columns):
            raise RunError(
                f"this table has no column {', '.join(sorted(lacking))}",
                path=run.folder.path / "frames.parquet",
                hint="Score again with the same arguments; finished samples are not measured again.",
            )
        self._specs = run.info.specs
        self._groups = {str(name): group for name, group in run.frames.groupby("sample", sort=False)}
        ranges = run.frames.groupby("metric")["value"].agg(["min", "max"])
        self._domains: Mapping[str, tuple[float, float]] = {
            str(metric): _padded(float(row["min"]), float(row["max"])) for metric, row in ranges.iterrows()
        }

    def of(self, sample: Sample) -> tuple[Curve, ...]:
        """The curves of one sample, in column order; none for a metric without per-frame values."""
        frames = self._groups.get(sample.sample)
        if frames is None:
            return ()
        drawn = []
        for spec in self._specs:
            rows = frames[frames["metric"] == spec.name]
            if len(rows):
                drawn.append(self._draw(spec, rows, sample.fps))
        return tuple(drawn)

    def _draw(self, spec: MetricSpec, rows: pd.DataFrame, fps: float | None) -> Curve:
        times = frame_seconds(rows, fps)
        values = [None if np.isnan(value) else float(value) for value in rows["value"].to_numpy(dtype=float)]
        known = [value for value in values if value is not None]
        words = f"{spec.title} in {len(values)} frames over {times[-1]:.2f} s: "
        words += f"from {number(min(known))} to {number(max(known))}" if known else "no frame has a value"
        if known and len(known) < len(values):
            words += f", {len(values) - len(known)} frames without a value"
        chart = charts.curve(
            times.tolist(), values, domain=self._domains[spec.name], end=float(times[-1]) or 1.0
        )
        return Curve(
            spec=spec,
            chart=chart,
            words=words,
            points=_points(rows["frame"].tolist(), times.tolist(), values),
        )


def frame_seconds(rows: pd.DataFrame, fps: float | None) -> npt.NDArray[np.float64]:
    """Seconds of each row, (n,); a frame without a known time lies between its neighbours."""
    frames = rows["frame"].to_numpy(dtype=float)
    times = rows["time"].to_numpy(dtype=float)
    known = ~np.isnan(times)
    if known.all():
        return times
    rate = fps or _ANY_RATE
    if not known.any():
        return np.asarray(frames / rate, dtype=np.float64)
    first, last = np.flatnonzero(known)[[0, -1]]
    filled = np.interp(frames, frames[known], times[known])
    filled[:first] = np.maximum(0.0, times[first] - (frames[first] - frames[:first]) / rate)
    filled[last + 1 :] = times[last] + (frames[last + 1 :] - frames[last]) / rate
    return np.asarray(filled, dtype=np.float64)


def _points(frames: Sequence[int], times: Sequence[float], values: Sequence[float | None]) -> str:
    points = [
        [frame, round(time, 3), None if value is None else float(f"{value:.4g}")]
        for frame, time, value in zip(frames, times, values, strict=True)
    ]
    return json.dumps(points, separators=(",", ":"))


def _padded(low: float, high: float) -> tuple[float, float]:
    if np.isnan(low):
        return 0.0, 1.0
    pad = 0.06 * (high - low) or 0.5 * abs(high) or 0.5
    return low - pad, high + pad
