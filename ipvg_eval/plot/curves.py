"""Curves over training, and over the frames of videos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ipvg_eval.core.errors import UsageError
from ipvg_eval.measuring import Measurements, VideoMeasurements
from ipvg_eval.plot.style import (
    COLOURS,
    MARKERS,
    AnyRun,
    Axes,
    Figure,
    chosen,
    label,
    loaded,
    panels,
    plain,
    remark,
    styled,
)
from ipvg_eval.results import Run


@styled
def curves(
    models: Mapping[str, Mapping[int, AnyRun]],
    metrics: Sequence[str] | None = None,
    *,
    over: str = "training step",
) -> Figure:
    """The mean of every metric over training, with its interval as a band.

    Args:
        models: name of a model -> step of a checkpoint -> its run, or the run's folder.
        metrics: which ones; all that have a direction where None.
        over: what steps are.

    Raises:
        UsageError: no run, or no such metric.
        RunError: a folder is no run.
    """
    runs = {name: {step: loaded(steps[step]) for step in sorted(steps)} for name, steps in models.items()}
    every = [run for steps in runs.values() for run in steps.values()]
    if not every:
        raise UsageError("there is no run to draw")
    specs = chosen(every[0].info.sample_metrics, metrics)
    figure, axes = panels(len(specs))
    for ax, spec in zip(axes, specs, strict=True):
        for place, (name, steps) in enumerate(runs.items()):
            means = np.array([_mean(run, spec.name) for run in steps.values()], dtype=float)
            colour, marker = COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)]
            ax.fill_between(list(steps), means[:, 1], means[:, 2], color=colour, alpha=0.18, linewidth=0)
            ax.plot(list(steps), means[:, 0], color=colour, marker=marker, label=plain(name))
        ax.set_xlabel(plain(over))
        ax.set_title(label(spec))
    _legend(figure, axes[0], len(runs))
    remark(figure, (run.summary.notice for run in every))
    return figure


def _mean(run: Run, metric: str) -> tuple[float | None, float | None, float | None]:
    """Mean, and both ends of its interval."""
    for one in run.summary.metrics:
        if one.name == metric:
            return one.mean, one.low, one.high
    for total in run.summary.combined:
        if total.name == metric:
            return total.value, total.low, total.high
    return None, None, None


@styled
def frames(
    measured: VideoMeasurements | Measurements | Sequence[VideoMeasurements],
    metrics: Sequence[str] | None = None,
) -> Figure:
    """The value of every frame that was looked at; a curve has a gap where a frame has none.

    Args:
        measured: what `measure` or `measure_all` gave.
        metrics: which ones; all that have values of frames where None.

    Raises:
        UsageError: no video, or a metric without values of frames.
    """
    if isinstance(measured, VideoMeasurements):
        videos: Sequence[VideoMeasurements] = [measured]
    else:
        videos = measured.videos if isinstance(measured, Measurements) else measured
    known = list(dict.fromkeys(name for one in videos for name in one.frames))
    names = known if metrics is None else list(metrics)
    if not names or (lacking := [name for name in names if name not in known]):
        what = lacking[0] if names else "any metric"
        raise UsageError(f"there are no values of frames of {what}", hint=f"There are: {', '.join(known)}")
    figure, axes = panels(len(names))
    for ax, name in zip(axes, names, strict=True):
        for place, one in enumerate(videos):
            values = one.frames.get(name, {})
            ax.plot(
                list(values),
                np.array(list(values.values()), dtype=float),
                color=COLOURS[place % len(COLOURS)],
                marker=MARKERS[place % len(MARKERS)] if len(values) <= 40 else None,
                markersize=2.5,
                label=plain(one.video.rpartition("/")[2]),
            )
        ax.set_xlabel("frame")
        ax.set_title(plain(name))
    _legend(figure, axes[0], len(videos))
    remark(figure, (one.notice for one in videos))
    return figure


def _legend(figure: Figure, ax: Axes, curves: int) -> None:
    if curves > 1:
        figure.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=min(curves, 4))
