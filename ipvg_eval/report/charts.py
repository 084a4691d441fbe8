"""Curves of per-frame values."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from ipvg_eval.core.page import Drawing, Scale

_WIDTH, _HEIGHT = 190, 64
_MARGINS = (38, 8, 12, 18)  # fixed, so that the axes of charts side by side line up
_FEW = 40


def curve(
    times: Sequence[float], values: Sequence[float | None], *, domain: tuple[float, float], end: float
) -> Markup:
    """One metric over the frames of one video.

    Args:
        times: presentation times in seconds, ascending.
        values: one per time; the line stops where there is none, and a mark below says so.
        domain: lower and upper end of the value axis.
        end: right end of the time axis in seconds.
    """
    x = Scale(low=0, high=end, start=0, end=_WIDTH)
    y = Scale(low=domain[0], high=domain[1], start=_HEIGHT, end=0)
    points = [None if v is None else (x(t), y(v)) for t, v in zip(times, values, strict=True)]
    drawing = Drawing(width=_WIDTH, height=_HEIGHT, margins=_MARGINS)
    drawing.left_axis(y, y.ticks(3))
    drawing.bottom_axis(x, x.ticks(4), unit=" s")
    if any(point is not None for point in points):
        drawing.curve(points, "var(--accent)", 1.6)
    for point in points if len(points) <= _FEW else _alone(points):
        if point is not None:
            drawing.dot(*point, 2, "var(--accent)")
    for time, value in zip(times, values, strict=True):
        if value is None:
            drawing.line(x(time), 59.5, x(time), 64.5, "var(--bad)", stroke_width=1.5)
    return drawing.markup()


def _alone(points: Sequence[tuple[float, float] | None]) -> list[tuple[float, float] | None]:
    """Points that no line reaches because both neighbours have no value."""
    around = [None, *points, None]
    return [
        p for p, before, after in zip(points, around, around[2:], strict=False) if before is after is None
    ]
