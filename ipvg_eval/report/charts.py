"""Charts as static SVG, drawn by Vega-Lite when the page is written.

Colours are the page's CSS variables, so the same chart serves the light and the dark page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import vl_convert
from markupsafe import Markup

# Fixed margins, so that the axes of charts side by side line up.
_HISTOGRAM = {
    "width": 270,
    "height": 100,
    "autosize": "none",
    "padding": {"left": 30, "top": 8, "right": 14, "bottom": 28},
}
_CURVE = {
    "width": 190,
    "height": 64,
    "autosize": "none",
    "padding": {"left": 38, "top": 8, "right": 12, "bottom": 18},
}
_FEW = 40
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


def histogram(values: Sequence[float], mean: float) -> Markup:
    """How one metric's values are spread: bars of counts, a line at the mean, a mark per value if few."""
    x = {"field": "v", "type": "quantitative", "title": None}
    few = len(values) <= _FEW
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
                    "bin": {"maxbins": 18},
                    "axis": {**_SPARSE, "offset": 9 if few else 3, "domain": False},
                },
                "y": {
                    "aggregate": "count",
                    "type": "quantitative",
                    "title": None,
                    "axis": {"tickCount": 3, "tickMinStep": 1, "format": "d"},
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
    return _svg({**_HISTOGRAM, "data": {"values": [{"v": v} for v in values]}, "layer": layers})


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
    points = [{"t": t, "v": v} for t, v in zip(times, values, strict=True)]
    x = {
        "field": "t",
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [0, end], "nice": False},
        "axis": {"tickCount": 4, "labelExpr": "datum.label + ' s'"},
    }
    y = {
        "field": "v",
        "type": "quantitative",
        "title": None,
        "scale": {"domain": list(domain), "nice": False, "zero": False},
        "axis": {"tickCount": 3},
    }
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": points},
            "mark": {"type": "line", "color": "var(--accent)", "strokeWidth": 1.6, "strokeJoin": "round"},
            "encoding": {"x": x, "y": y},
        },
        {
            "data": {"values": points if len(points) <= _FEW else _alone(points)},
            "mark": {"type": "point", "filled": True, "color": "var(--accent)", "size": 12, "opacity": 1},
            "encoding": {"x": x, "y": y},
        },
        {
            "data": {"values": [point for point in points if point["v"] is None]},
            "mark": {"type": "tick", "color": "var(--bad)", "height": 5, "thickness": 1.5},
            "encoding": {"x": x, "y": {"value": 62}},
        },
    ]
    return _svg({**_CURVE, "layer": [layer for layer in layers if layer["data"]["values"]]})


def _alone(points: Sequence[dict[str, float | None]]) -> list[dict[str, float | None]]:
    """Points that no line reaches because both neighbours have no value."""
    values = [None, *(point["v"] for point in points), None]
    return [
        p for p, before, after in zip(points, values, values[2:], strict=False) if before is after is None
    ]


def _svg(spec: Mapping[str, Any]) -> Markup:
    return _drawn(json.dumps(spec))


@lru_cache(maxsize=512)  # many videos share a curve: a face in every frame, for example
def _drawn(spec: str) -> Markup:
    text = vl_convert.vegalite_to_svg({"background": None, "config": _CONFIG, **json.loads(spec)})
    return Markup(text.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1))  # noqa: S704 - numbers only
