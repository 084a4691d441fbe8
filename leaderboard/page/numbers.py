"""Numbers for people."""

from __future__ import annotations

import math


def decimals(*values: float | None) -> int:
    """Decimals that give values about four digits, the same for all of them."""
    known = [abs(value) for value in values if value is not None and not math.isnan(value)]
    largest = max(known, default=0.0)
    return 1 if largest >= 100 else 2 if largest >= 10 else 3 if largest > 1 else 4
