"""What a metric's number means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class MetricSpec:
    """The declaration of one metric.

    Attributes:
        name: the column it fills.
        version: raised whenever the number for the same input may change.
        higher_is_better: direction; None where neither is better (a diagnostic).
        bounds: smallest and largest possible value; None on an open side.
        unit: unit of the value, empty for a ratio or a score.
        title: short human name.
        summary: one sentence: what it measures.
        caveats: known ways in which the number misleads.
        source: paper, repository and commit, or library function it follows.
        proxy: True for a training-free stand-in of a published metric.
        weights: names of the weights it needs.
        licence: terms of those weights, empty where none are needed.
        package: name and version of the installed package that measures it; empty for ours. It is filled in
            where a protocol is loaded, whatever the package says.
    """

    name: str
    version: int
    higher_is_better: bool | None
    bounds: tuple[float | None, float | None]
    title: str
    summary: str
    source: str
    caveats: str = ""
    unit: str = ""
    proxy: bool = False
    weights: tuple[str, ...] = ()
    licence: str = ""
    package: str = ""

    @property
    def arrow(self) -> str:
        """An arrow that points where better is; empty for a diagnostic."""
        return {True: "↑", False: "↓", None: ""}[self.higher_is_better]

    @property
    def label(self) -> str:
        """Its title for tables and pages, which says so where another package measures it."""
        return f"{self.title} (from {self.package})" if self.package else self.title


def outside_metrics(specs: Iterable[MetricSpec]) -> str:
    """Which metrics other packages measure, in words; empty where none is."""
    names: dict[str, list[str]] = {}
    for spec in specs:
        if spec.package:
            names.setdefault(spec.package, []).append(spec.name)
    return "; ".join(f"from {package}, not from ipvg-eval: {', '.join(of)}" for package, of in names.items())
