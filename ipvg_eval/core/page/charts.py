"""How the values of one metric are spread."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from ipvg_eval.core.page.numbers import round_step
from ipvg_eval.core.page.svg import Drawing, Scale

_WIDTH, _HEIGHT = 270, 100
_MARGINS = (30, 8, 14, 28)  # fixed, so that the axes of charts side by side line up
_FEW = 40
_BINS = 18


def histogram(
    values: Sequence[float], mean: float, *, domain: tuple[float, float] | None = None, marks: bool = True
) -> Markup:
    """How one metric's values are spread: bars of counts, a line at the mean, a mark per value if few.

    Args:
        values: without missing ones, at least one.
        mean: where the line stands.
        domain: smallest and largest value of all charts that are compared; the values' own where None.
        marks: whether few values may have a mark each, which gives the values away.
    """
    low, high = domain if domain and domain[1] > domain[0] else (min(values), max(values))
    if high <= low:
        low, high = low - (abs(low) or 1) / 2, low + (abs(low) or 1) / 2
    step = round_step((high - low) / _BINS)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    counts, edges = np.histogram(values, bins=last - first, range=(first * step, last * step))
    few = marks and len(values) <= _FEW
    drawing = Drawing(width=_WIDTH, height=_HEIGHT, margins=_MARGINS)
    x = Scale(low=first * step, high=last * step, start=0, end=_WIDTH)
    y = Scale(low=0, high=int(counts.max()), start=_HEIGHT, end=0)
    drawing.left_axis(y, [tick for tick in y.ticks(3) if tick == int(tick)])
    for count, left, right in zip(counts.tolist(), edges, edges[1:], strict=False):
        if count:
            wide = x(float(right)) - x(float(left)) - 1
            drawing.rectangle(
                x(float(left)) + 1, y(count), wide, _HEIGHT - y(count), "var(--accent)", opacity=0.75
            )
    for value in values if few else ():
        drawing.rectangle(x(value) - 0.5, 102, 1, 6, "var(--ink)", opacity=0.55)
    drawing.line(x(mean), 0, x(mean), _HEIGHT, "var(--ink)", stroke_width=1.5, stroke_dasharray="4 3")
    drawing.bottom_axis(x, x.ticks(9), gap=9 if few else 3)
    return drawing.markup()
