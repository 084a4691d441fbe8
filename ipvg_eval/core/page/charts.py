"""Charts as static SVG, drawn by Vega-Lite when the page is written.

Colours are the page's CSS variables, so the same chart serves the light and the dark page.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import vl_convert
from markupsafe import Markup

from ipvg_eval.core.page.numbers import round_step

# Fixed margins, so that the axes of charts side by side line up.
_HISTOGRAM = {
    "width": 270,
    "height": 100,
    "autosize": "none",
    "padding": {"left": 30, "top": 8, "right": 14, "bottom": 28},
}
_FEW = 40
_BINS = 18
_ROUNDING = 1e-9
_SPARSE = {"labelOverlap": "greedy", "labelSeparation": 8}
_CONFIG: dict[str, Any] = {
    "aria": False,  # the figure around a chart carries the text alternative
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--muted)",
        "labelFontSize": 10,
        "titleColor": "var(--muted)",
        "titleFontSize": 10,
        "titleFontWeight": "normal",
        "gridColor": "var(--line)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
        "tickSize": 3,
    },
    "axisX": {"grid": False, "labelFlush": False},
    "axisY": {"domain": False, "ticks": False, "labelPadding": 6},
}


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
        values: without missing ones.
        mean: where the line stands.
        domain: smallest and largest value of all charts that are compared; the values' own where None.
        bounds: what a value can be; no bar reaches beyond.
        marks: whether few values may have a mark each, which gives the values away.
    """
    x: dict[str, Any] = {"field": "v", "type": "quantitative", "title": None}
    low, high = domain or (min(values), max(values))
    ends, step = bins(low, high, bounds)
    x["scale"] = {"domain": ends, "nice": False}
    few = marks and len(values) <= _FEW
    ticks = {
        "mark": {"type": "tick", "color": "var(--ink)", "opacity": 0.55, "height": 6, "thickness": 1},
        "encoding": {"x": x, "y": {"value": 105}},
    }
    layers = [
        {
            "mark": {"type": "bar", "color": "var(--accent)", "opacity": 0.75, "binSpacing": 1},
            "encoding": {
                "x": {
                    **x,
                    "bin": {"extent": ends, "step": step},
                    "axis": {**_SPARSE, "offset": 9 if few else 3, "domain": False},
                },
                "y": {
                    "aggregate": "count",
                    "type": "quantitative",
                    "title": None,
                    "axis": {"values": _counts(values, ends[0], step), "format": "d"},
                    "scale": {"domainMin": 0},
                },
            },
        },
        *([ticks] if few else []),
        {
            "data": {"values": [{"v": mean}]},
            "mark": {"type": "rule", "color": "var(--ink)", "strokeWidth": 1.5, "strokeDash": [4, 3]},
            "encoding": {"x": x},
        },
    ]
    return draw({**_HISTOGRAM, "data": {"values": [{"v": v} for v in values]}, "layer": layers})


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


def _counts(values: Sequence[float], start: float, step: float) -> list[int]:
    """Whole numbers along the axis of counts, at most four of them."""
    top = max(Counter(math.floor((value - start) / step + _ROUNDING) for value in values).values())
    return list(range(0, top + 1, math.ceil(round_step(top / 3)) if top > 3 else 1))


def draw(chart: Mapping[str, Any]) -> Markup:
    """Draw a Vega-Lite chart whose text is numbers only, with the pages' fonts and colours."""
    return _drawn(json.dumps(chart))


@lru_cache(maxsize=512)  # many videos share a curve: a face in every frame, for example
def _drawn(chart: str) -> Markup:
    text = vl_convert.vegalite_to_svg({"background": None, "config": _CONFIG, **json.loads(chart)})
    return Markup(text.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1))  # noqa: S704 - numbers only
