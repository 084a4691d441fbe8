"""Protocols, checked against the evaluators they name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from ipvg_eval.core.combination import Combination
from ipvg_eval.core.errors import IpvgError
from ipvg_eval.core.run import EvaluatorEntry
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.metrics.corpus import CorpusMetric, corpus_metric
from ipvg_eval.metrics.errors import ProtocolError
from ipvg_eval.metrics.evaluator import Evaluator
from ipvg_eval.metrics.plugin_guard import GuardedEvaluator, explained
from ipvg_eval.metrics.plugins import BrokenPlugin, Plugin, with_weights
from ipvg_eval.metrics.protocols.definition import (
    Protocol,
    parse_definition,
    read_text,
    shipped_protocols,
    validation_error,
)
from ipvg_eval.metrics.registry import evaluator_class, outside_evaluators, registered
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.weight_file import WeightFile

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Part:
    """One evaluator of a protocol, ready to be built, and the metrics it reports.

    Attributes:
        entry: what the file says.
        cls: the evaluator's class.
        options: its options, checked.
        specs: the metrics it reports.
        plugin: the registration of an evaluator of another package; None for ours.
    """

    entry: EvaluatorEntry
    cls: type[Evaluator]
    options: BaseModel
    specs: tuple[MetricSpec, ...]
    plugin: Plugin | None = None

    def required_weights(self) -> tuple[str, ...]:
        """Names of the declared weights it needs."""
        return self.explained("required_weights", lambda: self.cls.required_weights(self.options))

    def optional_weights(self) -> tuple[str, ...]:
        """Names of the declared weights it uses where they are."""
        return self.explained("optional_weights", lambda: self.cls.optional_weights(self.options))

    def build(self, runtime: Runtime) -> Evaluator:
        """The evaluator, networks loaded."""
        if self.plugin is None:
            return self.cls(self.options, runtime)
        return GuardedEvaluator(self.plugin, self.cls, self.options, runtime)

    def explained(self, doing: str, step: Callable[[], T]) -> T:
        """What a step gives; what a package's code raises bears its name."""
        return step() if self.plugin is None else explained(self.plugin, doing, step)


@dataclass(frozen=True, kw_only=True)
class LoadedProtocol:
    """A protocol, checked against the evaluators it names.

    Attributes:
        definition: the parsed file.
        text: the file's text.
        corpus: the metrics of the whole submission.
        parts: its evaluators, in the order of the columns.
    """

    definition: Protocol
    text: str
    corpus: tuple[CorpusMetric, ...]
    parts: tuple[Part, ...]

    @property
    def specs(self) -> tuple[MetricSpec, ...]:
        """The metrics it reports for each video, in column order."""
        return tuple(spec for part in self.parts for spec in part.specs)

    @property
    def combined(self) -> tuple[Combination, ...]:
        """The weighted sums it reports."""
        return self.definition.combined

    @property
    def sha256(self) -> str:
        """Hash of the rules.

        Comments and layout of the file do not count, nor do the thresholds of audits and the paths of files
        about the submission.
        """
        content = self.definition.model_dump(mode="json", exclude={"audit"})
        if content["frames_needed"] is None:  # as before there was such a rule
            del content["frames_needed"]
        for part, entry in zip(self.parts, content["evaluators"], strict=True):
            for name in part.cls.FILES:
                entry["options"].pop(name, None)
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def select(self, names: Iterable[str]) -> LoadedProtocol:
        """The same protocol with only some of its metrics, and what can be computed from these.

        A metric that it does not have, but that an installed package measures, is added with that
        evaluator's own defaults; the numbers are then not the protocol's, and it says so.

        Raises:
            ProtocolError: a name is neither among its metrics nor measured by an installed package.
            BrokenPlugin: an installed package registers it, and cannot be used.
        """
        wanted = set(names)
        known = [spec.name for spec in self.specs]
        if outside := _outside(wanted.difference(known)):
            return self._with(outside).select(wanted)
        for name in sorted(wanted):
            if name not in known:
                raise ProtocolError(
                    f"protocol {self.definition.name!r} has no metric {name!r}",
                    hint=_measured_by(name) or did_you_mean(name, known),
                )
        entries = []
        for part in self.parts:
            names_here = tuple(spec.name for spec in part.specs if spec.name in wanted)
            if names_here:
                entries.append(part.entry.model_copy(update={"metrics": names_here}))
        return self._cut_to(entries, wanted)

    def suited_to(self, *, timelines: bool) -> LoadedProtocol:
        """The same protocol without the evaluators that need timelines, where there are none.

        Raises:
            ProtocolError: nothing is left.
        """
        if timelines or all(part.entry.needs is None for part in self.parts):
            return self
        left = [part for part in self.parts if part.entry.needs is None]
        if not left:
            raise ProtocolError(
                "the metrics that were asked for need timelines, and there is none",
                hint="Choose other metrics, or give a timeline (Track 2's test sets have them).",
            )
        return self._cut_to([part.entry for part in left], {s.name for part in left for s in part.specs})

    def _with(self, outside: Mapping[str, EvaluatorEntry]) -> LoadedProtocol:
        """The same protocol and evaluators of other packages; unofficial, and its notice says so."""
        notice = f"WITH METRICS THAT ARE NOT THE PROTOCOL'S ({', '.join(outside)}). {self.definition.notice}"
        changes = {
            "evaluators": (*self.definition.evaluators, *outside.values()),
            "official": False,
            "notice": notice.strip(),
        }
        return _checked(self.definition.model_copy(update=changes), self.text, where=self.definition.name)

    def _cut_to(self, entries: Iterable[EvaluatorEntry], reported: Set[str]) -> LoadedProtocol:
        changes = {
            "evaluators": tuple(entries),
            "combined": tuple(c for c in self.combined if c.weights.keys() <= reported),
            "corpus": tuple(m.spec.name for m in self.corpus if m.needs in reported),
        }
        return _checked(self.definition.model_copy(update=changes), self.text, where=self.definition.name)

    def with_budget(self, frames: int) -> LoadedProtocol:
        """The same protocol with every evaluator held to so many frames, or groups of frames.

        Its numbers are not the protocol's: it is unofficial, and its notice says so.
        """
        entries = []
        for part in self.parts:
            option = part.cls.BUDGET
            if option is None:
                entries.append(part.entry)
                continue
            bound = getattr(part.options, option)
            options = {**part.entry.options, option: min(frames, bound or frames)}
            entries.append(part.entry.model_copy(update={"options": options}))
        notice = f"REDUCED FRAME BUDGET ({frames}): not the protocol's numbers. {self.definition.notice}"
        changes = {"evaluators": tuple(entries), "official": False, "notice": notice.strip()}
        return _checked(self.definition.model_copy(update=changes), self.text, where=self.definition.name)

    def required_weights(self) -> tuple[str, ...]:
        """Names of every declared weight the protocol needs, each once."""
        needed = (part.required_weights() for part in self.parts)
        return tuple(dict.fromkeys(name for names in needed for name in names))

    def optional_weights(self) -> tuple[str, ...]:
        """Names of every declared weight that is used where it is on the machine, each once."""
        wanted = (part.optional_weights() for part in self.parts)
        return tuple(dict.fromkeys(name for names in wanted for name in names))

    def build(self, runtime: Runtime) -> tuple[Evaluator, ...]:
        """Every evaluator, networks loaded."""
        return tuple(part.build(runtime) for part in self.parts)

    @property
    def weight_table(self) -> Mapping[str, WeightFile]:
        """Every declared weight by name, with those of the packages that it names evaluators of."""
        return with_weights(part.cls for part in self.parts)

    @property
    def packages(self) -> tuple[Plugin, ...]:
        """The evaluators of other packages."""
        return tuple(part.plugin for part in self.parts if part.plugin is not None)


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
    return _checked(parse_definition(text, where), text, where=where)


def restore_protocol(
    text: str,
    evaluators: tuple[EvaluatorEntry, ...],
    *,
    where: str,
    versions: Mapping[str, int] | None = None,
) -> LoadedProtocol:
    """A protocol as a finished run used it: its file's text, with the evaluators the run really had.

    Args:
        text: of the file.
        evaluators: of the run.
        where: for messages.
        versions: version of every metric of the run, by name, which tells what its defaults were.

    Raises:
        ProtocolError: as `load_protocol`, where this version does not understand it any more.
    """
    entries = tuple(
        entry.model_copy(
            update={"options": evaluator_class(entry.kind).as_measured(entry.options, versions or {})}
        )
        for entry in evaluators
    )
    changes = {"evaluators": entries, "combined": (), "corpus": ()}
    return _checked(parse_definition(text, where).model_copy(update=changes), text, where=where)


def _checked(definition: Protocol, text: str, *, where: str) -> LoadedProtocol:
    parts = tuple(_part(entry, where) for entry in definition.evaluators)
    corpus = tuple(corpus_metric(name) for name in definition.corpus)
    names = [spec.name for part in parts for spec in part.specs]
    _check_needs(definition.combined, corpus, names, where)
    every = [*names, *(c.name for c in definition.combined), *definition.corpus]
    for name in every:
        if every.count(name) > 1:
            raise ProtocolError(
                f"metric {name!r} is reported twice",
                path=where,
                hint="List the metrics each evaluator reports under its `metrics` key.",
            )
    return LoadedProtocol(definition=definition, text=text, corpus=corpus, parts=parts)


def _check_needs(
    combined: Sequence[Combination], corpus: Sequence[CorpusMetric], names: Sequence[str], where: str
) -> None:
    needs = [(c.name, need) for c in combined for need in c.weights]
    needs += [(m.spec.name, m.needs) for m in corpus]
    for owner, need in needs:
        if need not in names:
            raise ProtocolError(
                f"{owner!r} is computed from {need!r}, which the protocol does not report",
                path=where,
                hint=did_you_mean(need, names),
            )


def _part(entry: EvaluatorEntry, where: str) -> Part:
    cls, plugin = registered(entry.kind)
    try:
        options = cls.Options.model_validate(entry.options)
    except ValidationError as error:
        what = f"evaluator {entry.kind!r}: "
        raise validation_error(where, what, error, known=cls.Options.model_fields) from error
    reported = cls.specs_for(options) if plugin is None else _specs_of(plugin, cls, options)
    specs = {spec.name: spec for spec in reported}
    wanted = entry.metrics if entry.metrics is not None else tuple(specs)
    for name in wanted:
        if name not in specs:
            raise ProtocolError(
                f"evaluator {entry.kind!r} reports no metric {name!r} with these options",
                path=where,
                hint=did_you_mean(name, specs),
            )
    chosen = tuple(specs[name] for name in wanted)
    return Part(entry=entry, cls=cls, options=options, specs=chosen, plugin=plugin)


def _specs_of(plugin: Plugin, cls: type[Evaluator], options: BaseModel) -> tuple[MetricSpec, ...]:
    return explained(plugin, "specs_for", lambda: plugin.stamped(cls.specs_for(options)))


def _outside(names: Iterable[str]) -> dict[str, EvaluatorEntry]:
    """The evaluators of installed packages that measure these metrics, each reporting what was asked for.

    Raises:
        BrokenPlugin: a name is that of an evaluator that cannot be used.
    """
    wanted = sorted(names)
    if not wanted:
        return {}
    found: dict[str, EvaluatorEntry] = {}
    for plugin, cls in outside_evaluators():
        if isinstance(cls, BrokenPlugin):
            if plugin.kind in wanted:
                raise cls
            continue
        here = tuple(spec.name for spec in cls.SPECS if spec.name in wanted)
        if here:
            found[", ".join(here)] = EvaluatorEntry(kind=plugin.kind, metrics=here)
    return found


def _measured_by(metric: str) -> str | None:
    """What to say where a shipped protocol has a metric that another one lacks."""
    for name in shipped_protocols():
        with suppress(IpvgError, ImportError):  # one whose packages are missing cannot be told
            if metric in (spec.name for spec in load_protocol(name).specs):
                return f"Protocol {name} has it: --protocol {name}."
    return None
