"""Value axes of the drawings that are part of a page."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from ipvg_eval.core.page import round_step


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A linear axis from left to right.

    Attributes:
        low: value at the left end.
        high: value at the right end, above `low`.
        ticks: values with a line, with their labels.
    """

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]

    def at(self, value: float) -> str:
        """Where a value lies, in per cent of the width."""
        return f"{100 * (value - self.low) / (self.high - self.low):.2f}%"


def value_scale(values: Iterable[float | None], *, ticks: int = 4) -> Scale:
    """A scale that holds every value, with round ticks."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    low, high = min(known, default=0.0), max(known, default=1.0)
    pad = 0.05 * (high - low) or 0.05 * abs(high) or 0.5
    low, high = low - pad, high + pad
    step = round_step((high - low) / ticks)
    places = next(p for p in range(20) if math.isclose(round(step, p), step, rel_tol=1e-6) or p == 19)
    first = math.ceil(low / step - 1e-9)
    marks = [step * k for k in range(first, math.floor(high / step + 1e-9) + 1)]
    return Scale(low=low, high=high, ticks=tuple((mark, f"{mark:.{places}f}") for mark in marks))


def rank_scale(ranks: int) -> Scale:
    """A scale of ranks from 1 on, with at most about ten labels."""
    every = max(1, math.ceil(ranks / 10))
    marks = sorted({1, *range(every, ranks + 1, every)})
    return Scale(low=0.5, high=max(ranks, 1) + 0.5, ticks=tuple((mark, str(mark)) for mark in marks))
