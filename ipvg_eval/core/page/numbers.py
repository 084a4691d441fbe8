"""Numbers for people."""

from __future__ import annotations

import math

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


def round_step(step: float) -> float:
    """The smallest round number (1, 2, 2.5 or 5 times a power of ten) that is not below `step` > 0."""
    power = 10.0 ** math.floor(math.log10(step))
    return power * next(factor for factor in _STEPS if factor * power >= step * (1 - 1e-9))


def points(value: float | None, places: int = 2) -> str:
    """A number without needless decimals; a dash where there are none."""
    if value is None:
        return "–"
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def decimals(*values: float | None) -> int:
    """Decimals that give values about four digits, the same for all of them."""
    known = [abs(value) for value in values if value is not None and not math.isnan(value)]
    largest = max(known, default=0.0)
    return 1 if largest >= 100 else 2 if largest >= 10 else 3 if largest > 1 else 4
