"""Small static drawings in SVG. Colours are the page's CSS variables, so they serve light and dark alike."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

from markupsafe import Markup

from ipvg_eval.core.page.numbers import round_step

_FONT = 10
_TICK = 3
_LETTER = 6.0  # how wide one is at most, in pixels at this size


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A straight map from values to pixels: `low` lies at `start`, `high` at `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Pixel of a value."""
        return self.start + (self.end - self.start) * (value - self.low) / (self.high - self.low)

    def ticks(self, count: int) -> list[float]:
        """Round values in the scale's range, about `count` of them."""
        step = round_step((self.high - self.low) / count)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [k * step for k in range(first, last + 1)]


@dataclass(kw_only=True)
class Drawing:
    """A plot of `width` by `height` pixels within margins, filled from back to front.

    Attributes:
        margins: left, top, right and bottom.
    """

    width: float
    height: float
    margins: tuple[float, float, float, float]
    _parts: list[str] = field(default_factory=list)

    def line(self, x1: float, y1: float, x2: float, y2: float, colour: str, **style: str | float) -> None:
        """A straight line."""
        self._add("line", {"x1": x1, "y1": y1, "x2": x2, "y2": y2, "stroke": colour, **style})

    def rectangle(self, x: float, y: float, w: float, h: float, colour: str, **style: str | float) -> None:
        """A filled rectangle."""
        self._add("rect", {"x": x, "y": y, "width": w, "height": h, "fill": colour, **style})

    def dot(self, x: float, y: float, radius: float, colour: str) -> None:
        """A filled circle."""
        self._add("circle", {"class": "dot", "cx": x, "cy": y, "r": radius, "fill": colour})

    def curve(self, points: Iterable[tuple[float, float] | None], colour: str, thick: float) -> None:
        """Points joined by straight lines, which stop at None."""
        path, pen = [], "M"
        for point in points:
            if point is None:
                pen = "M"
                continue
            path.append(f"{pen}{_short(point[0])},{_short(point[1])}")
            pen = "L"
        style: dict[str, str | float] = {"fill": "none", "stroke-width": thick, "stroke-linejoin": "round"}
        self._add("path", {"class": "curve", "d": "".join(path), "stroke": colour, **style})

    def area(self, points: Sequence[tuple[float, float, float]], colour: str, opacity: float) -> None:
        """The filled space between two curves: (x, one y, other y) from left to right."""
        there = [f"{_short(x)},{_short(y)}" for x, y, _ in points]
        back = [f"{_short(x)},{_short(y)}" for x, _, y in reversed(points)]
        style: dict[str, str | float] = {"fill": colour, "opacity": opacity}
        self._add("polygon", {"class": "area", "points": " ".join([*there, *back]), **style})

    def text(
        self,
        x: float,
        y: float,
        words: str,
        colour: str,
        *,
        anchor: str = "middle",
        size: float = _FONT,
        weight: str = "normal",
    ) -> None:
        """Text whose middle line is at y."""
        place: dict[str, str | float] = {
            "x": x,
            "y": y,
            "text-anchor": anchor,
            "dominant-baseline": "central",
            "fill": colour,
            "font-size": size,
            "font-weight": weight,
        }
        self._add("text", place, escape(words))

    def bottom_axis(self, scale: Scale, ticks: Sequence[float], *, unit: str = "", gap: float = 0) -> None:
        """Marks and numbers below the plot; numbers that would touch are left out."""
        labels, reached = _labels(ticks), -math.inf
        for value, label in zip(ticks, labels, strict=True):
            x, half = scale(value), _LETTER * len(label + unit) / 2
            self.line(x, self.height + gap, x, self.height + gap + _TICK, "var(--line)")
            if x - half > reached:
                self.text(x, self.height + gap + _TICK + 7, label + unit, "var(--muted)")
                reached = x + half

    def left_axis(self, scale: Scale, ticks: Sequence[float]) -> None:
        """Lines across the plot and numbers beside it."""
        for value, label in zip(ticks, _labels(ticks), strict=True):
            self.line(0, scale(value), self.width, scale(value), "var(--line)")
            self.text(-6, scale(value), label, "var(--muted)", anchor="end")

    def markup(self) -> Markup:
        """The drawing as an element of a page; it carries no words, those stand beside it."""
        left, top, right, bottom = self.margins
        wide, high = _short(left + self.width + right), _short(top + self.height + bottom)
        plot = f'width="{_short(self.width)}" height="{_short(self.height)}"'
        return Markup(  # noqa: S704 - numbers, and texts that are escaped above
            f'<svg aria-hidden="true" focusable="false" xmlns="http://www.w3.org/2000/svg" width="{wide}" '
            f'height="{high}" viewBox="0 0 {wide} {high}">'
            f'<g transform="translate({_short(left)},{_short(top)})">'
            f'<rect class="background" {plot} fill="none"/>'
            f"{''.join(self._parts)}</g></svg>"
        )

    def _add(self, name: str, attributes: dict[str, str | float], content: str = "") -> None:
        written = "".join(
            f' {key.replace("_", "-")}="{value if isinstance(value, str) else _short(value)}"'
            for key, value in attributes.items()
        )
        self._parts.append(f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>")


def _labels(ticks: Sequence[float]) -> list[str]:
    """Numbers with the same decimals, as few as tell them apart."""
    for places in range(10):
        texts = [f"{value:.{places}f}" for value in ticks]
        near = all(
            math.isclose(float(text), value, rel_tol=1e-6, abs_tol=1e-12)
            for text, value in zip(texts, ticks, strict=True)
        )
        if near and all(len(text) <= 8 for text in texts):
            return [text.removeprefix("-") if float(text) == 0 else text for text in texts]
    return [f"{value:g}" for value in ticks]


def _short(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
