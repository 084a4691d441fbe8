"""Prompted events as bars, found ones under them, similarity curves below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ipvg_eval.core.page import Drawing, Scale

_WIDTH = 440
_LANE = 17
_BAR = 13
_GAP = 8
_CURVES = 84
_MARGINS = (58, 4, 18, 18)
_IN_DOT = 9


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A stretch of time that belongs to an event; seconds, colour from 1."""

    number: int
    colour: int
    start: float
    end: float


@dataclass(frozen=True, kw_only=True)
class Line:
    """How similar the video is to one event's text over time: (seconds, similarity)."""

    number: int
    colour: int
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class Band:
    """Between which similarities most other actions lie over time: (seconds, lower, upper)."""

    points: tuple[tuple[float, float, float], ...]


def timeline_chart(
    *,
    prompted: Sequence[Bar],
    found: Sequence[Bar],
    lines: Sequence[Line],
    duration: float,
    band: Band | None = None,
) -> Markup:
    """Draw a timeline.

    Args:
        prompted: the events.
        found: where the video shows them.
        lines: similarity curves; empty where nothing looked for the events.
        band: of the actions nobody asked for, drawn behind the curves; None where there are none.
        duration: of the video in seconds; a dashed line marks its end where the timeline ends elsewhere.
    """
    lines = [line for line in lines if line.points]
    end = max([duration, *(bar.end for bar in prompted)])
    upper, upper_height = _lanes(prompted, 0)
    lower, lower_height = _lanes(found, upper_height + _GAP) if lines else ([], upper_height)
    top = lower_height + _GAP
    height = top + _CURVES if lines else lower_height
    drawing = Drawing(width=_WIDTH, height=height, margins=_MARGINS)
    x = Scale(low=0, high=end, start=0, end=_WIDTH)
    _bars(drawing, upper, x, opacity=0.9, ink="var(--event-ink)")
    _bars(drawing, lower, x, opacity=0.5, ink="var(--ink)")
    if lines:
        _curves(drawing, lines, band, x, top, height)
        drawing.text(-6, upper_height + _GAP + _BAR / 2, "found", "var(--muted)", anchor="end")
    drawing.text(-6, _BAR / 2, "prompted", "var(--muted)", anchor="end")
    if abs(end - duration) > 1e-6 or any(bar.end < duration - 1e-6 for bar in prompted[-1:]):
        drawing.line(x(duration), 0, x(duration), height, "var(--ink)", stroke_dasharray="4 3")
    drawing.bottom_axis(x, x.ticks(6), unit=" s")
    return drawing.markup()


_Placed = tuple[Bar, float]


def _lanes(bars: Sequence[Bar], top: float) -> tuple[list[_Placed], float]:
    """Every bar with its upper edge, so that no two overlap, and the lower end of all lanes."""
    ends: list[float] = []
    placed = []
    for bar in sorted(bars, key=lambda b: (b.start, b.end)):
        lane = next((k for k, reached in enumerate(ends) if reached <= bar.start + 1e-6), len(ends))
        ends[lane : lane + 1] = [bar.end]
        placed.append((bar, top + lane * _LANE))
    return placed, top + max(1, len(ends)) * _LANE


def _bars(drawing: Drawing, placed: Sequence[_Placed], x: Scale, *, opacity: float, ink: str) -> None:
    for bar, top in placed:
        left, right = x(bar.start), x(bar.end)
        colour = f"var(--event-{bar.colour})"
        drawing.rectangle(left, top, right - left, _BAR, colour, opacity=opacity, rx=3)
        drawing.text((left + right) / 2, top + _BAR / 2, str(bar.number), ink, weight="bold")


def _curves(
    drawing: Drawing, lines: Sequence[Line], band: Band | None, x: Scale, top: float, bottom: float
) -> None:
    between = band.points if band is not None else ()
    values = [v for line in lines for _, v in line.points] + [v for _, *edges in between for v in edges]
    margin = (max(values) - min(values)) * 0.08 or 0.01 * max(1.0, abs(values[0]))
    y = Scale(low=min(values) - margin, high=max(values) + margin, start=bottom, end=top)
    drawing.left_axis(y, y.ticks(3))
    if between:
        drawing.area([(x(t), y(low), y(high)) for t, low, high in between], "var(--muted)", 0.25)
    for line in lines:
        colour = f"var(--event-{line.colour})"
        drawing.curve([(x(t), y(v)) for t, v in line.points], colour, 1.8)
        at, highest = max(line.points, key=lambda point: point[1])
        drawing.dot(x(at), y(highest), 6.2, colour)
        drawing.text(x(at), y(highest), str(line.number), "var(--event-ink)", size=_IN_DOT)
