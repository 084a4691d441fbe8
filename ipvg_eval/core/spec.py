"""What a metric's number means."""

from __future__ import annotations

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

    @property
    def arrow(self) -> str:
        """An arrow that points where better is; empty for a diagnostic."""
        return {True: "↑", False: "↓", None: ""}[self.higher_is_better]
