"""What should happen when, and what the video shows."""

from __future__ import annotations

import textwrap
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from ipvg_eval.core.errors import UsageError
from ipvg_eval.core.measurement import FrameFeatures
from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.core.timeline import Event, parse_timeline
from ipvg_eval.metrics.timeline.alignment.temporal_grounding import grounded_intervals
from ipvg_eval.metrics.timeline.spec import MIOU
from ipvg_eval.plot.style import (
    COLOURS,
    GREY,
    AnyRun,
    Axes,
    Figure,
    loaded,
    new_figure,
    plain,
    remark,
    styled,
)
from ipvg_eval.results import Run
from ipvg_eval.results.features import read_features

_LANE = 0.23
_CURVES = 1.1
_LETTERS = 88
Span = tuple[float, float]


@styled
def timeline(run: AnyRun, sample: str, metrics: Sequence[str] = ()) -> Figure:
    """The prompted events of a sample over time, and below them what was found in its video.

    Where the run kept how similar the frames are to the actions, that is a curve per event, with the time at
    which each was found as a second bar. Under them, the values of frames of the metrics that are named.

    Args:
        run: a run or its folder.
        sample: the sample's id.
        metrics: metrics that have values of frames.

    Raises:
        UsageError: no such sample or metric, or the sample has no timeline.
        RunError: the folder is no run, or a file of it is damaged.
    """
    run = loaded(run)
    row = _row(run, sample)
    events = parse_timeline(row["timeline"]).events if isinstance(row.get("timeline"), str) else ()
    if not events:
        raise UsageError(f"sample {sample!r} has no timeline", hint="Draw one of a Track 2 test set.")
    kept = read_features(run.folder.features(sample)).get(MIOU.name)
    if kept is not None and kept.rows.shape[1] != len(events):
        kept = None
    spans = grounded_intervals(kept) if kept is not None else []
    heights = [
        _LANE * (len(events) + 0.6),
        *([_CURVES] if kept is not None else []),
        *[_CURVES] * len(metrics),
    ]
    texts = _texts(events)
    figure = new_figure(5.2, sum(heights) + 0.13 * texts.count("\n") + 0.9)
    grid = figure.subplots(len(heights), 1, squeeze=False, sharex=True, height_ratios=heights)
    top, *below = grid[:, 0]
    _bars(top, events, spans)
    if kept is not None:
        _similarities(below.pop(0), run, sample, kept)
    for ax, name in zip(below, metrics, strict=True):
        _values(ax, run, sample, name)
    top.set_xlim(0, max([*(event.end for event in events), float(np.nan_to_num(row["duration"]))]))
    grid[-1, 0].set_xlabel("seconds")
    figure.suptitle(texts, fontsize=7, ha="left", x=0.01, linespacing=1.3)
    key = "Wide bars: prompted. Narrow bars: found." if any(spans) else ""
    remark(figure, [key, run.summary.notice])
    return figure


def _row(run: Run, sample: str) -> Mapping[Hashable, Any]:
    rows = {str(row["sample"]): row for row in run.samples.to_dict("records")}
    if sample not in rows:
        raise UsageError(f"the run has no sample {sample!r}", hint=did_you_mean(sample, rows))
    return rows[sample]


def _texts(events: Sequence[Event]) -> str:
    return "\n".join(
        textwrap.shorten(f"{number} {plain(event.description, longest=200)}", _LETTERS, placeholder="…")
        for number, event in enumerate(events, start=1)
    )


def _bars(ax: Axes, events: Sequence[Event], found: Sequence[Span | None]) -> None:
    for place, event in enumerate(events):
        colour = COLOURS[place % len(COLOURS)]
        ax.broken_barh([(event.start, event.end - event.start)], (place - 0.4, 0.5), color=colour)
        span = found[place] if found else None
        if span is not None:
            ax.broken_barh([(span[0], span[1] - span[0])], (place + 0.15, 0.22), color=colour, alpha=0.45)
    ax.set_yticks(range(len(events)), [str(number) for number in range(1, len(events) + 1)])
    ax.set_ylim(len(events) - 0.4, -0.6)
    ax.set_ylabel("event")
    ax.tick_params(axis="y", length=0)


def _similarities(ax: Axes, run: Run, sample: str, kept: FrameFeatures) -> None:
    times = _times(run, sample, kept.indices)
    for place, column in enumerate(kept.rows.astype(float).T):
        ax.plot(times, column, color=COLOURS[place % len(COLOURS)])
    ax.set_ylabel("similarity")


def _times(run: Run, sample: str, indices: Sequence[int]) -> list[float]:
    """Seconds of frames; from the frame rate where the tables do not have them."""
    rows = run.frames[(run.frames["sample"] == sample) & run.frames["time"].notna()]
    known = dict(zip(rows["frame"].tolist(), rows["time"].tolist(), strict=True))
    rate = float(run.samples.loc[run.samples["sample"] == sample, "fps"].iloc[0])
    return [float(known.get(index, index / rate)) for index in indices]


def _values(ax: Axes, run: Run, sample: str, name: str) -> None:
    rows = run.frames[(run.frames["sample"] == sample) & (run.frames["metric"] == name)]
    if not len(rows):
        known = run.frames.loc[run.frames["sample"] == sample, "metric"].unique()
        raise UsageError(
            f"{sample}: there are no values of frames of {name!r}", hint=did_you_mean(name, known)
        )
    ax.plot(rows["time"].to_numpy(), np.asarray(rows["value"], dtype=float), color=GREY)
    ax.set_ylabel("\n".join(textwrap.wrap(plain(name).replace("_", " "), 14)))
