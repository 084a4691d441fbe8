"""Prompted events as bars, found ones under them, similarity curves below, as static SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from ipvg_eval.core.page import draw

_WIDTH = 440
_LANE = 17
_BAR = 13
_GAP = 8
_CURVES = 84
_MARGINS = {"left": 58, "top": 4, "right": 18, "bottom": 18}


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
    x: dict[str, Any] = {
        "field": "t",
        "type": "quantitative",
        "title": None,
        "scale": {"domain": [0, end], "nice": False},
        "axis": {"tickCount": 6, "labelExpr": "datum.label + ' s'"},
    }
    layers = [
        *_bars(upper, x, opacity=0.9, ink="var(--event-ink)"),
        *_bars(lower, x, opacity=0.5, ink="var(--ink)"),
    ]
    if lines:
        layers += _curves(lines, band, x, top, height)
        layers.append(_heading("found", upper_height + _GAP + _BAR / 2))
    layers.append(_heading("prompted", _BAR / 2))
    if abs(end - duration) > 1e-6 or any(bar.end < duration - 1e-6 for bar in prompted[-1:]):
        layers.append(_rule(duration, x))
    return draw({"width": _WIDTH, "height": height, "autosize": "none", "padding": _MARGINS, "layer": layers})


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


def _bars(placed: Sequence[_Placed], x: dict[str, Any], *, opacity: float, ink: str) -> list[dict[str, Any]]:
    layers: list[dict[str, Any]] = []
    for bar, top in placed:
        datum = {"t": bar.start, "e": bar.end, "m": (bar.start + bar.end) / 2, "n": str(bar.number)}
        colour = f"var(--event-{bar.colour})"
        layers += [
            {
                "data": {"values": [datum]},
                "mark": {"type": "rect", "color": colour, "opacity": opacity, "cornerRadius": 3},
                "encoding": {"x": x, "x2": {"field": "e"}, "y": {"value": top}, "y2": {"value": top + _BAR}},
            },
            {
                "data": {"values": [datum]},
                "mark": {
                    "type": "text",
                    "color": ink,
                    "fontSize": 10,
                    "fontWeight": "bold",
                    "baseline": "middle",
                },
                "encoding": {
                    "x": {**x, "field": "m"},
                    "y": {"value": top + _BAR / 2},
                    "text": {"field": "n", "type": "nominal"},
                },
            },
        ]
    return layers


def _curves(
    lines: Sequence[Line], band: Band | None, x: dict[str, Any], top: float, bottom: float
) -> list[dict[str, Any]]:
    between = band.points if band is not None else ()
    values = [v for line in lines for _, v in line.points]
    values += [v for _, *edges in between for v in edges]
    margin = (max(values) - min(values)) * 0.08 or 0.01
    y = {
        "field": "v",
        "type": "quantitative",
        "title": None,
        "scale": {
            "domain": [min(values) - margin, max(values) + margin],
            "range": [bottom, top],
            "nice": False,
            "zero": False,
        },
        "axis": {"tickCount": 3},
    }
    layers: list[dict[str, Any]] = []
    if between:
        rows = [{"t": t, "v": low, "w": high} for t, low, high in between]
        area = {"type": "area", "color": "var(--muted)", "opacity": 0.25}
        layers.append(
            {"data": {"values": rows}, "mark": area, "encoding": {"x": x, "y": y, "y2": {"field": "w"}}}
        )
    for line in lines:
        colour = f"var(--event-{line.colour})"
        highest = max(line.points, key=lambda point: point[1])
        peak = {"t": highest[0], "v": highest[1], "n": str(line.number)}
        layers += [
            {
                "data": {"values": [{"t": t, "v": v} for t, v in line.points]},
                "mark": {"type": "line", "color": colour, "strokeWidth": 1.8, "strokeJoin": "round"},
                "encoding": {"x": x, "y": y},
            },
            {
                "data": {"values": [peak]},
                "mark": {"type": "point", "filled": True, "color": colour, "size": 120, "opacity": 1},
                "encoding": {"x": x, "y": y},
            },
            {
                "data": {"values": [peak]},
                "mark": {"type": "text", "color": "var(--event-ink)", "fontSize": 9, "baseline": "middle"},
                "encoding": {"x": x, "y": y, "text": {"field": "n", "type": "nominal"}},
            },
        ]
    return layers


def _heading(word: str, y: float) -> dict[str, Any]:
    return {
        "data": {"values": [{"w": word}]},
        "mark": {
            "type": "text",
            "align": "right",
            "baseline": "middle",
            "fontSize": 10,
            "color": "var(--muted)",
            "clip": False,
        },
        "encoding": {"x": {"value": -6}, "y": {"value": y}, "text": {"field": "w", "type": "nominal"}},
    }


def _rule(duration: float, x: dict[str, Any]) -> dict[str, Any]:
    return {
        "data": {"values": [{"t": duration}]},
        "mark": {"type": "rule", "color": "var(--ink)", "strokeDash": [4, 3], "strokeWidth": 1},
        "encoding": {"x": x},
    }
