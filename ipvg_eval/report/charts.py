"""Curves of per-frame values, as static SVG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from ipvg_eval.core.page import draw

# Fixed margins, so that the axes of charts side by side line up.
_CURVE = {
    "width": 190,
    "height": 64,
    "autosize": "none",
    "padding": {"left": 38, "top": 8, "right": 12, "bottom": 18},
}
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
    return draw({**_CURVE, "layer": [layer for layer in layers if layer["data"]["values"]]})


def _alone(points: Sequence[dict[str, float | None]]) -> list[dict[str, float | None]]:
    """Points that no line reaches because both neighbours have no value."""
    values = [None, *(point["v"] for point in points), None]
    return [
        p for p, before, after in zip(points, values, values[2:], strict=False) if before is after is None
    ]
