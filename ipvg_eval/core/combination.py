"""One score out of several: weighted sums with every term visible."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field


class Combination(BaseModel):
    """A weighted sum of metrics, as a protocol declares it.

    Attributes:
        name: its column.
        title: its human name.
        weights: weight of each metric; the sum need not be 1.
        source: paper or code it follows.
        higher_is_better: direction of the sum.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    weights: dict[str, float] = Field(min_length=1)
    source: str = ""
    higher_is_better: bool = True


@dataclass(frozen=True, kw_only=True)
class Combined:
    """A weighted sum, or none and the reason.

    Attributes:
        value: the sum, or None.
        reason: which terms are missing; None exactly where there is a value.
    """

    value: float | None
    reason: str | None


def combine(combination: Combination, values: Mapping[str, float | None]) -> Combined:
    """The weighted sum of the values; a missing term makes it missing, never smaller.

    Args:
        combination: the weights.
        values: by metric; a metric that is absent counts as missing.
    """
    present = {name: values.get(name) for name in combination.weights}
    missing = [name for name, value in present.items() if value is None]
    if missing:
        return Combined(value=None, reason=f"no {', '.join(missing)}")
    terms = (weight * (present[name] or 0.0) for name, weight in combination.weights.items())
    return Combined(value=math.fsum(terms), reason=None)
