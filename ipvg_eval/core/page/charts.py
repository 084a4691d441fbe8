"""How the values of one metric are spread."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from ipvg_eval.core.page.numbers import round_step
from ipvg_eval.core.page.svg import Drawing, Scale

_WIDTH, _HEIGHT = 270, 100
_MARGINS = (30, 8, 14, 28)  # fixed, so that the axes of charts side by side line up
_FEW = 40
_BINS = 18
_ROUNDING = 1e-9


def histogram(
    values: Sequence[float],
    mean: float,
    *,
    domain: tuple[float, float] | None = None,
    bounds: tuple[float | None, float | None] = (None, None),
    marks: bool = True,
) -> Markup:
    """How one metric's values are spread: bars of counts, a line at the mean, a mark per value if few.

    Args:
        values: without missing ones, at least one.
        mean: where the line stands.
        domain: smallest and largest value of all charts that are compared; the values' own where None.
        bounds: what a value can be; no bar reaches beyond.
        marks: whether few values may have a mark each, which gives the values away.
    """
    (low, high), step = bins(*(domain or (min(values), max(values))), bounds)
    heights = Counter(_bar(value, low, high, step) for value in values)
    few = marks and len(values) <= _FEW
    drawing = Drawing(width=_WIDTH, height=_HEIGHT, margins=_MARGINS)
    x = Scale(low=low, high=high, start=0, end=_WIDTH)
    y = Scale(low=0, high=max(heights.values()), start=_HEIGHT, end=0)
    drawing.left_axis(y, _counts(heights))
    for bar, count in sorted(heights.items()):
        left, right = x(low + bar * step), x(min(high, low + (bar + 1) * step))
        drawing.rectangle(
            left + 1, y(count), max(1.0, right - left - 1), _HEIGHT - y(count), "var(--accent)", opacity=0.75
        )
    for value in values if few else ():
        drawing.rectangle(x(value) - 0.5, 102, 1, 6, "var(--ink)", opacity=0.55)
    drawing.line(x(mean), 0, x(mean), _HEIGHT, "var(--ink)", stroke_width=1.5, stroke_dasharray="4 3")
    drawing.bottom_axis(x, x.ticks(9), gap=9 if few else 3)
    return drawing.markup()


def bins(low: float, high: float, bounds: tuple[float | None, float | None]) -> tuple[list[float], float]:
    """Both ends of an axis and the width of its bars, which hold all values and none that cannot be."""
    around = 0.0 if high > low else round_step(abs(low) / 10) if low else 0.1
    first, last = low - around, high + around
    step = round_step((last - first) / _BINS)
    ends = [math.floor(first / step + _ROUNDING) * step, math.ceil(last / step - _ROUNDING) * step]
    if bounds[0] is not None:
        ends[0] = max(ends[0], min(bounds[0], low))
    if bounds[1] is not None:
        ends[1] = min(ends[1], max(bounds[1], high))
    return ends, step


def _bar(value: float, low: float, high: float, step: float) -> int:
    """Which bar a value belongs to; the upper end belongs to the last."""
    last = max(0, math.ceil((high - low) / step - _ROUNDING) - 1)
    return min(last, max(0, math.floor((value - low) / step + _ROUNDING)))


def _counts(heights: Mapping[int, int]) -> list[int]:
    """Whole numbers along the axis of counts, at most four of them."""
    top = max(heights.values())
    return list(range(0, top + 1, math.ceil(round_step(top / 3)) if top > 3 else 1))
