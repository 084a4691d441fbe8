"""Protocols: named, versioned YAML files that say which metrics run with which rules."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from metrics.errors import ProtocolError, did_you_mean
from metrics.evaluator import Evaluator
from metrics.registry import EvaluatorClass, evaluator_class
from metrics.runtime import Runtime
from metrics.spec import MetricSpec

_SHIPPED = resources.files("metrics") / "protocols"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EvaluatorEntry(_Strict):
    """One evaluator of a protocol.

    Attributes:
        kind: name in the registry.
        options: its options; what is left out has the evaluator's default.
        metrics: which of its metrics are reported; all where left out.
    """

    kind: str
    options: dict[str, Any] = Field(default_factory=dict)
    metrics: tuple[str, ...] | None = None


class Protocol(_Strict):
    """A protocol as its file says it.

    Attributes:
        name: short name.
        version: raised whenever a number for the same input may change.
        title: one line for people.
        description: what it is for.
        official: False for runs that must not enter a leaderboard (proxies, demonstrations).
        notice: sentence that every output of a run repeats, empty for none.
        evaluators: what is measured, in the order of the columns.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    version: int = Field(ge=1)
    title: str
    description: str = ""
    official: bool = True
    notice: str = ""
    evaluators: tuple[EvaluatorEntry, ...] = Field(min_length=1)


@dataclass(frozen=True, kw_only=True)
class LoadedProtocol:
    """A protocol, checked against the evaluators it names.

    Attributes:
        definition: the parsed file.
        text: the file's text.
        specs: the metrics it reports, in column order.
    """

    definition: Protocol
    text: str
    specs: tuple[MetricSpec, ...]
    _options: tuple[BaseModel, ...]

    @property
    def sha256(self) -> str:
        """Hash of the content; comments and layout of the file do not count."""
        content = json.dumps(self.definition.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    def select(self, names: Iterable[str]) -> LoadedProtocol:
        """The same protocol with only some of its metrics.

        Raises:
            ProtocolError: a name is not among its metrics.
        """
        wanted = set(names)
        known = [spec.name for spec in self.specs]
        for name in sorted(wanted):
            if name not in known:
                raise ProtocolError(
                    f"protocol {self.definition.name!r} has no metric {name!r}",
                    hint=did_you_mean(name, known),
                )
        entries = []
        for entry in self.definition.evaluators:
            names_here = tuple(spec.name for spec in _reported(entry) if spec.name in wanted)
            if names_here:
                entries.append(entry.model_copy(update={"metrics": names_here}))
        definition = self.definition.model_copy(update={"evaluators": tuple(entries)})
        return _checked(definition, self.text, where=definition.name)

    def required_weights(self) -> tuple[str, ...]:
        """Names of every declared weight the protocol needs, each once."""
        names: dict[str, None] = {}
        for entry, options in zip(self.definition.evaluators, self._options, strict=True):
            names.update(dict.fromkeys(evaluator_class(entry.kind).required_weights(options)))
        return tuple(names)

    def build(self, runtime: Runtime) -> tuple[Evaluator, ...]:
        """Every evaluator, networks loaded."""
        return tuple(
            evaluator_class(entry.kind)(options, runtime)
            for entry, options in zip(self.definition.evaluators, self._options, strict=True)
        )


def shipped_protocols() -> tuple[str, ...]:
    """Names of the protocols that come with the package."""
    return tuple(sorted(Path(item.name).stem for item in _SHIPPED.iterdir() if item.name.endswith(".yaml")))


def load_protocol(name: str) -> LoadedProtocol:
    """A protocol by its shipped name or by its file, checked against the evaluators it names.

    Args:
        name: "lite", or the path of a .yaml file.

    Raises:
        ProtocolError: no such protocol or file, bad YAML, or an unknown key, evaluator, option or metric.
    """
    return parse_protocol(read_text(name), where=name)


def parse_protocol(text: str, *, where: str) -> LoadedProtocol:
    """Parse and check a protocol's YAML text.

    Raises:
        ProtocolError: as `load_protocol`; messages begin with `where`.
    """
    return _checked(_parse_definition(text, where), text, where=where)


def read_definition(name: str) -> Protocol:
    """A protocol's file, parsed but not checked against its evaluators; imports no network.

    Raises:
        ProtocolError: no such protocol or file, bad YAML, or an unknown key.
    """
    return _parse_definition(read_text(name), name)


def read_text(name: str) -> str:
    """The text of a protocol's file.

    Raises:
        ProtocolError: no such protocol or file.
    """
    if name in shipped_protocols():
        return (_SHIPPED / f"{name}.yaml").read_text("utf-8")
    path = Path(name)
    if path.suffix not in {".yaml", ".yml"} and not path.exists():
        raise ProtocolError(
            f"there is no protocol {name!r}",
            hint=did_you_mean(name, shipped_protocols()) + " A file must end in .yaml.",
        )
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProtocolError(
            f"{path}: this protocol file cannot be read ({error})",
            hint="Check the path; `ipvg-eval protocols list` shows the ones that are shipped.",
        ) from error


def _parse_definition(text: str, where: str) -> Protocol:
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ProtocolError(
            f"{where}: not valid YAML: {error}", hint="Mend the file at that line."
        ) from error
    if not isinstance(content, Mapping):
        raise ProtocolError(
            f"{where}: a protocol is a mapping of keys to values",
            hint="Start from `ipvg-eval protocols show lite`.",
        )
    try:
        return Protocol.model_validate(content)
    except ValidationError as error:
        known = (*Protocol.model_fields, *EvaluatorEntry.model_fields)
        raise _validation_error(where, "", error, known=known) from error


def _checked(definition: Protocol, text: str, *, where: str) -> LoadedProtocol:
    specs: list[MetricSpec] = []
    options = []
    for entry in definition.evaluators:
        cls = evaluator_class(entry.kind)
        options.append(_parse_options(entry, cls, where))
        specs.extend(_reported(entry))
    names = [spec.name for spec in specs]
    for name in names:
        if names.count(name) > 1:
            raise ProtocolError(
                f"{where}: metric {name!r} is reported twice",
                hint="List the metrics each evaluator reports under its `metrics` key.",
            )
    return LoadedProtocol(definition=definition, text=text, specs=tuple(specs), _options=tuple(options))


def _parse_options(entry: EvaluatorEntry, cls: EvaluatorClass, where: str) -> BaseModel:
    try:
        return cls.Options.model_validate(entry.options)
    except ValidationError as error:
        what = f"evaluator {entry.kind!r}: "
        raise _validation_error(where, what, error, known=cls.Options.model_fields) from error


def _reported(entry: EvaluatorEntry) -> tuple[MetricSpec, ...]:
    specs = {spec.name: spec for spec in evaluator_class(entry.kind).SPECS}
    if entry.metrics is None:
        return tuple(specs.values())
    for name in entry.metrics:
        if name not in specs:
            raise ProtocolError(
                f"evaluator {entry.kind!r} has no metric {name!r}", hint=did_you_mean(name, specs)
            )
    return tuple(specs[name] for name in entry.metrics)


def _validation_error(
    where: str, what: str, error: ValidationError, *, known: Iterable[str]
) -> ProtocolError:
    # A misspelt key also leaves the right one missing; the misspelling is what helps the reader.
    problems = error.errors(include_url=False)
    first = next((problem for problem in problems if problem["type"] == "extra_forbidden"), problems[0])
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        unknown = str(first["loc"][-1])
        return ProtocolError(f"{where}: {what}unknown key {place!r}", hint=did_you_mean(unknown, known))
    return ProtocolError(
        f"{where}: {what}{place}: {first['msg']}",
        hint="`ipvg-eval protocols show NAME` prints a valid file.",
    )
