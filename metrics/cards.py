"""Metric cards: what every number means, written from the specs.

python -m ipvg_eval.metrics.cards docs/metrics            # ours
python -m ipvg_eval.metrics.cards FOLDER EVALUATOR        # those of an evaluator of an installed package
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.corpus import CORPUS_METRICS, corpus_metric
from ipvg_eval.metrics.formulas import FORMULAS, LETTERS
from ipvg_eval.metrics.protocols.definition import shipped_protocols
from ipvg_eval.metrics.protocols.loading import load_protocol
from ipvg_eval.metrics.registry import EVALUATORS, evaluator_class, registered

_DIRECTION = {True: "higher is better", False: "lower is better", None: "neither direction is better"}


def cards() -> dict[str, str]:
    """Every card by file name, and README.md with their table."""
    specs = _specs()
    used = _protocols()
    pages = {f"{name}.md": _card(name, variants, used[name]) for name, variants in specs.items()}
    return {**pages, "README.md": _index(specs, used)}


def plugin_cards(kind: str) -> dict[str, str]:
    """The cards of an evaluator that an installed package adds, by file name.

    Raises:
        ProtocolError, BrokenPlugin: as `evaluator_class`.
    """
    cls, plugin = registered(kind)
    specs = cls.SPECS if plugin is None else plugin.stamped(cls.SPECS)
    return {f"{spec.name}.md": card(kind, spec, cls.FORMULAS) for spec in specs}


def card(kind: str, spec: MetricSpec, formulas: Mapping[str, str]) -> str:
    """The card of one metric of one evaluator."""
    return _card(spec.name, [(kind, spec)], None, formulas)


def _specs() -> dict[str, list[tuple[str, MetricSpec]]]:
    """Specs by metric name, each with the evaluator that measures it."""
    named = [(kind, spec) for kind in sorted(EVALUATORS) for spec in evaluator_class(kind).SPECS]
    named += [("whole submission", corpus_metric(name).spec) for name in sorted(CORPUS_METRICS)]
    specs: dict[str, list[tuple[str, MetricSpec]]] = defaultdict(list)
    for kind, spec in named:
        specs[spec.name].append((kind, spec))
    return dict(sorted(specs.items()))


def _protocols() -> dict[str, list[str]]:
    used: dict[str, list[str]] = defaultdict(list)
    for name in shipped_protocols():
        protocol = load_protocol(name)
        for spec in (*protocol.specs, *(metric.spec for metric in protocol.corpus)):
            used[spec.name].append(name)
    return used


def _card(
    name: str,
    variants: list[tuple[str, MetricSpec]],
    protocols: list[str] | None,
    formulas: Mapping[str, str] = FORMULAS,
) -> str:
    lines = [
        f"# {variants[0][1].title}",
        "",
        f"`{name}`" + ("." if protocols is None else f", in protocols: {', '.join(protocols) or 'none'}."),
        "",
    ]
    for kind, spec in variants:
        if len(variants) > 1:
            lines += [f"## Measured by `{kind}`", ""]
        formula = formulas.get(name, "(its package gives no formula)")
        lines += [spec.summary, "", "```text", f"{name} = {formula}", "```", "", "| | |", "|---|---|"]
        lines += [f"| {key} | {value} |" for key, value in _properties(kind, spec).items() if value]
        lines += ["", f"**How it misleads.** {spec.caveats}", ""]
    return "\n".join(lines)


def _properties(kind: str, spec: MetricSpec) -> dict[str, str]:
    low, high = ("open" if bound is None else f"{bound:g}" for bound in spec.bounds)
    return {
        "direction": _DIRECTION[spec.higher_is_better],
        "range": f"{low} to {high}",
        "unit": spec.unit,
        "kind": "training-free stand-in for a published metric" if spec.proxy else "",
        "measured by": f"`{kind}`" + (f" from {spec.package}" if spec.package else ""),
        "source": spec.source,
        "weights": ", ".join(f"`{name}`" for name in spec.weights),
        "terms": spec.licence,
        "version": str(spec.version),
    }


def _index(specs: dict[str, list[tuple[str, MetricSpec]]], used: dict[str, list[str]]) -> str:
    lines = [
        "# Metrics",
        "",
        f"Letters in the formulas: {LETTERS}",
        "",
        "| metric | what it is | better | protocols |",
        "|---|---|---|---|",
    ]
    for name, variants in specs.items():
        spec = variants[0][1]
        better = spec.arrow or "neither"
        lines.append(f"| [`{name}`]({name}.md) | {spec.title} | {better} | {', '.join(used[name])} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write cards into the folder named on the command line."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    written = plugin_cards(sys.argv[2]) if len(sys.argv) > 2 else cards()
    for name, text in written.items():
        (folder / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
