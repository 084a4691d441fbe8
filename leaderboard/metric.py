"""The metrics of a track: which way is better, and which of them rank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.leaderboard.challenge import MetricRule
from ipvg_eval.leaderboard.errors import ChallengeError


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric of the page.

    Attributes:
        name: its column in the runs.
        title: its human name.
        unit: unit of its values, empty for none.
        summary: one sentence: what it measures.
        higher_is_better: direction; None where neither is better.
        proxy: whether it stands in for a published metric.
        weight: how much its rank counts in phase 1; 0 for a metric that is only shown.
        bounds: smallest and largest possible value, None where there is none.
        requires: metric -> smallest value that a sample must have there for its value here to count.
        optional: whether a team without a score stays eligible.
    """

    name: str
    title: str
    unit: str
    summary: str
    higher_is_better: bool | None
    proxy: bool
    weight: float
    bounds: tuple[float | None, float | None] = (None, None)
    requires: Mapping[str, float] = field(default_factory=dict)
    optional: bool = False

    @property
    def arrow(self) -> str:
        """An arrow that points where better is; empty for a diagnostic."""
        return {True: "↑", False: "↓", None: ""}[self.higher_is_better]


def choose_metrics(
    specs: Sequence[MetricSpec], rules: Sequence[MetricRule], *, derived: Set[str] = frozenset()
) -> tuple[Metric, ...]:
    """The metrics of a track: those of the rules, then the rest, which is only shown.

    Without rules every metric that has a direction and is not computed from others counts with weight 1.

    Args:
        specs: what the runs declare.
        rules: what the challenge says; empty where it says nothing.
        derived: names of the metrics that are computed from others.

    Raises:
        ChallengeError: a rule names a metric that the runs do not have, contradicts its direction, or gives
            none to a diagnostic.
    """
    known = {spec.name: spec for spec in specs}
    for name in (name for rule in rules for name in (rule.name, *rule.requires)):
        if name not in known:
            raise ChallengeError(f"the runs have no metric {name!r}", hint=did_you_mean(name, known))
    rules = rules or [
        MetricRule(name=spec.name)
        for spec in specs
        if spec.higher_is_better is not None and spec.name not in derived
    ]
    if not rules:
        raise ChallengeError(
            "no metric of the runs says which way is better",
            hint="List the metrics with a direction under `metrics`.",
        )
    chosen = [_metric(known[rule.name], rule) for rule in rules]
    listed = {rule.name for rule in rules}
    return (*chosen, *(_metric(spec, None) for spec in specs if spec.name not in listed))


def _metric(spec: MetricSpec, rule: MetricRule | None) -> Metric:
    higher = spec.higher_is_better
    if rule and rule.direction:
        asked = rule.direction == "higher"
        if higher is not None and higher != asked:
            raise ChallengeError(
                f"metric {spec.name!r} is better when {'higher' if higher else 'lower'}, "
                f"but the challenge says {rule.direction!r}",
                hint="Leave the direction out: the runs declare it.",
            )
        higher = asked
    if rule and higher is None:
        raise ChallengeError(
            f"metric {spec.name!r} is a diagnostic: neither way is better",
            hint="Give it `direction: higher` or `direction: lower`, or leave it out.",
        )
    return Metric(
        name=spec.name,
        title=spec.label,
        unit=spec.unit,
        summary=spec.summary,
        higher_is_better=higher,
        proxy=spec.proxy,
        weight=rule.weight if rule else 0.0,
        bounds=spec.bounds,
        requires=rule.requires if rule else {},
        optional=rule.optional if rule else False,
    )
