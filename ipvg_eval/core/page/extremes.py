"""Which samples stand out on a metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Extremes:
    """The ends of one metric.

    Attributes:
        metric: its name.
        first: the best samples, best first; the highest where neither direction is better.
        last: the worst samples, worst first; none of them is among the best.

    Where all values are equal, nothing is best or worst and both are empty; a sample as good as the best is
    never among the worst, nor the other way round.
    """

    metric: str
    first: tuple[str, ...]
    last: tuple[str, ...]


def extremes(
    values: Mapping[str, float | None], *, metric: str, higher_is_better: bool | None, each: int
) -> Extremes:
    """The `each` best and worst samples that have a value; equal values keep their order.

    Args:
        values: sample -> value, in the test set's order.
        metric: the metric's name.
        higher_is_better: its direction.
        each: how many at either end.
    """
    sign = 1.0 if higher_is_better is False else -1.0
    known = {sample: sign * value for sample, value in values.items() if value is not None}
    names = sorted(known, key=known.__getitem__)
    last = min(each, len(names) // 2)
    best, worst = names[: min(each, len(names) - last)], names[len(names) - last :]
    if names and len(names) > 1:
        ends = known[names[0]], known[names[-1]]
        best = [name for name in best if known[name] != ends[1]]
        worst = [name for name in worst if known[name] != ends[0]]
    return Extremes(metric=metric, first=tuple(best), last=tuple(reversed(worst)))
