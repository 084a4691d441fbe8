"""Evaluators that installed packages add, through the entry-point group `ipvg_eval.evaluators`.

Nothing of a package is imported before a protocol names one of its evaluators, or somebody lists them.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from typing import Any

from pydantic import BaseModel

from ipvg_eval.core.errors import ExitCode
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.corpus import CORPUS_METRICS
from ipvg_eval.metrics.errors import MetricsError
from ipvg_eval.metrics.evaluator import Evaluator
from ipvg_eval.metrics.formulas import FORMULAS
from ipvg_eval.metrics.weight_file import WeightFile
from ipvg_eval.metrics.weights.table import WEIGHTS

GROUP = "ipvg_eval.evaluators"

METRIC_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
"""What a metric of another package may be called: it becomes a column, a file name and a key."""

COLUMNS = frozenset(
    (
        "sample",
        "identity",
        "video",
        "status",
        "reason",
        "damage",
        "note",
        "video_sha256",
        "frame_count",
        "width",
        "height",
        "fps",
        "duration",
        "codec",
        "timeline",
        "missing",
        "notes",
        "team",
        "frame",
        "time",
        "value",
        "metric",
    )
)
"""Columns of a run's tables, which no metric may be called after."""


class BrokenPlugin(MetricsError):
    """An evaluator of another package cannot be used."""

    exit_code = ExitCode.UNAVAILABLE


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """One evaluator that a package registers.

    Attributes:
        kind: the name it is registered under.
        package: the distribution's name.
        version: its version.
        entry_point: where it is.
    """

    kind: str
    package: str
    version: str
    entry_point: metadata.EntryPoint

    def __str__(self) -> str:
        return f"{self.package} {self.version}"

    def broken(self, why: str) -> BrokenPlugin:
        """The error to raise where it cannot be used."""
        return BrokenPlugin(
            f"evaluator {self.kind!r} of the package {self} cannot be used: {why}",
            hint=f"Mend or update {self.package}, or leave its metrics out.",
        )

    def raised(self, doing: str, error: BaseException) -> BrokenPlugin:
        """The same, where it raised."""
        return self.broken(f"{doing} raises {type(error).__name__}: {error}")

    def stamped(self, specs: Iterable[MetricSpec]) -> tuple[MetricSpec, ...]:
        """Its metrics, marked as this package's.

        Raises:
            BrokenPlugin: a spec says what none may say.
        """
        specs = tuple(specs)
        for spec in specs:
            if why := wrong_spec(spec):
                raise self.broken(why)
        return tuple(replace(spec, package=str(self)) for spec in specs)


def installed_plugins() -> tuple[Plugin, ...]:
    """Every evaluator that an installed package registers, by name; nothing is imported."""
    found = [
        Plugin(kind=point.name, package=point.dist.name, version=point.dist.version, entry_point=point)
        for point in metadata.entry_points(group=GROUP)
        if point.dist is not None
    ]
    return tuple(sorted(found, key=lambda plugin: (plugin.kind, plugin.package)))


def load_plugin(named_alike: Sequence[Plugin]) -> type[Evaluator]:
    """The class behind a name, imported and checked.

    Args:
        named_alike: every registration of the name, at least one.

    Raises:
        BrokenPlugin: two packages register the name, it cannot be imported, or it is no evaluator.
    """
    plugin, *others = named_alike
    if others:
        both = " and ".join(map(str, named_alike))
        raise plugin.broken(f"{both} register the same name; uninstall all but one")
    try:
        cls = plugin.entry_point.load()
    except (Exception, SystemExit) as error:  # another's code may raise anything
        raise plugin.broken(f"it cannot be imported ({type(error).__name__}: {error})") from error
    if why := _wrong_class(cls):
        raise plugin.broken(why)
    plugin.stamped(cls.SPECS)
    evaluator: type[Evaluator] = cls
    return evaluator


def with_weights(classes: Iterable[type[Evaluator]]) -> Mapping[str, WeightFile]:
    """Our table of weights and what these evaluators declare."""
    return {**WEIGHTS, **{weight.name: weight for cls in classes for weight in cls.WEIGHTS}}


def wrong_spec(spec: Any) -> str | None:
    """What a spec of another package says that none may say; None where it is right."""
    if not isinstance(spec, MetricSpec):
        return f"SPECS holds {type(spec).__name__}, not MetricSpec"
    if not isinstance(spec.name, str) or not METRIC_NAME.fullmatch(spec.name):
        return f"metric {spec.name!r}: a name is lower-case letters, digits and _, such as my_metric"
    if spec.name in FORMULAS or spec.name in CORPUS_METRICS:
        return f"metric {spec.name!r} is one of ipvg-eval's own; call it something else"
    if spec.name in COLUMNS:
        return f"metric {spec.name!r} is called like a column of every table; call it something else"
    if type(spec.version) is not int or spec.version < 1:
        return f"metric {spec.name!r}: version {spec.version!r} is no whole number from 1"
    if spec.higher_is_better not in (True, False, None):
        return f"metric {spec.name!r}: higher_is_better is {spec.higher_is_better!r}, not True, False or None"
    return _wrong_bounds(spec) or _wrong_texts(spec)


def _wrong_bounds(spec: MetricSpec) -> str | None:
    bounds: Any = spec.bounds
    right = isinstance(bounds, tuple) and len(bounds) == 2
    if not right or any(b is not None and type(b) not in (int, float) for b in bounds):
        return f"metric {spec.name!r}: bounds are two numbers or None, not {bounds!r}"
    low, high = bounds
    if low is not None and high is not None and not low < high:
        return f"metric {spec.name!r}: bounds {bounds!r} are not ascending"
    return None


def _wrong_texts(spec: MetricSpec) -> str | None:
    for field in ("title", "summary", "source"):
        text = getattr(spec, field)
        if not isinstance(text, str) or not text.strip() or "\n" in text:
            return f"metric {spec.name!r}: {field} must be one line of text"
    if not isinstance(spec.weights, tuple):
        return f"metric {spec.name!r}: weights are a tuple of names"
    return None


def _wrong_class(cls: Any) -> str | None:
    if not (inspect.isclass(cls) and issubclass(cls, Evaluator)):
        return f"{cls!r} is no subclass of ipvg_eval.metrics.evaluator.Evaluator"
    if lacking := sorted(cls.__abstractmethods__):
        return f"{cls.__name__} lacks {', '.join(lacking)}"
    if lacking := [name for name in ("Options", "SPECS", "BUDGET") if not hasattr(cls, name)]:
        return f"{cls.__name__} lacks {', '.join(lacking)}"
    if not (inspect.isclass(cls.Options) and issubclass(cls.Options, BaseModel)):
        return f"{cls.__name__}.Options is no pydantic model"
    if cls.BUDGET is not None and cls.BUDGET not in cls.Options.model_fields:
        return f"{cls.__name__}.BUDGET names {cls.BUDGET!r}, which is none of its options"
    if not isinstance(cls.SPECS, tuple) or not cls.SPECS:
        return f"{cls.__name__}.SPECS is no tuple of at least one MetricSpec"
    return _wrong_weights(cls)


def _wrong_weights(cls: type[Evaluator]) -> str | None:
    for weight in cls.WEIGHTS:
        if not isinstance(weight, WeightFile):
            return f"{cls.__name__}.WEIGHTS holds {type(weight).__name__}, not WeightFile"
        if weight.name in WEIGHTS:
            return f"the weight {weight.name!r} is one of ipvg-eval's own; call it something else"
    known = {*WEIGHTS, *(weight.name for weight in cls.WEIGHTS)}
    needed = [name for spec in cls.SPECS for name in getattr(spec, "weights", ())]
    if unknown := [name for name in needed if name not in known]:
        return f"its metrics need the weight {unknown[0]!r}, which {cls.__name__}.WEIGHTS does not declare"
    return None
