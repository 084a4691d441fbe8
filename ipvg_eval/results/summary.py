"""summary.json, summary.md and summary.tex: a run in a few numbers."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from ipvg_eval.results.aggregate import CombinedSummary, CorpusSummary, Counts, MetricSummary

_LATEX = {
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
}


class Summary(BaseModel):
    """A run in a few numbers.

    Attributes:
        team: who is scored.
        protocol: name and version of the protocol.
        testset: fingerprint of the test set.
        notice: what every reader must know about these numbers, empty for none.
        counts: how many samples came how far.
        metrics: one summary per metric, in the protocol's order.
        combined: weighted sums of the metrics' means.
        corpus: metrics of the whole submission.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    team: str
    protocol: str
    testset: str
    notice: str
    counts: Counts
    metrics: tuple[MetricSummary, ...]
    combined: tuple[CombinedSummary, ...] = ()
    corpus: tuple[CorpusSummary, ...] = ()

    def metric(self, name: str) -> MetricSummary:
        """The summary of one metric.

        Raises:
            KeyError: the run does not have it.
        """
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise KeyError(name)


def number(value: float | None) -> str:
    """A value for people: about four digits, a dash where there is none."""
    if value is None:
        return "–"
    decimals = 1 if abs(value) >= 100 else 2 if abs(value) >= 10 else 4
    return f"{value:.{decimals}f}"


def arrow(higher_is_better: bool | None) -> str:
    """An arrow that points where better is, empty for a diagnostic."""
    return {True: "↑", False: "↓", None: ""}[higher_is_better]


def state(counts: Counts) -> str:
    """How far a run came, in words."""
    amounts = {
        "missing": counts.missing,
        "undecodable": counts.undecodable,
        "crashed": counts.crashed,
        "pending": counts.pending,
        "decoded in part": counts.damaged,
    }
    rest = [f"{amount} {what}" for what, amount in amounts.items() if amount]
    return ", ".join([f"{counts.scored} of {counts.samples} samples scored", *rest])


def to_markdown(summary: Summary) -> str:
    """A table with one line per metric."""
    lines = [
        f"# {summary.team}",
        "",
        f"Protocol {summary.protocol}, test set {summary.testset[:12]}: {state(summary.counts)}.",
        "",
    ]
    if summary.notice:
        lines += [f"**{summary.notice}**", ""]
    lines += [
        "| metric | mean | std | min | median | max | scored | missing |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for m in summary.metrics:
        values = " | ".join(number(v) for v in (m.mean, m.std, m.minimum, m.median, m.maximum))
        name = f"{m.name} {arrow(m.higher_is_better)}".strip()
        lines.append(f"| {name} | {values} | {m.count} | {m.missing} |")
    return "\n".join(lines) + "\n"


def to_latex(summaries: Sequence[Summary]) -> str:
    r"""A booktabs table with one row per team, as papers print it; all summaries have the same metrics."""
    first = summaries[0]
    marks = {True: r" $\uparrow$", False: r" $\downarrow$", None: ""}
    head = [_escape(m.title) + marks[m.higher_is_better] for m in first.metrics]
    lines = [
        f"% protocol {first.protocol}, test set {first.testset}",
        *([f"% {first.notice}"] if first.notice else []),
        rf"\begin{{tabular}}{{l{'r' * len(head)}}}",
        r"\toprule",
        " & ".join(["Team", *head]) + r" \\",
        r"\midrule",
    ]
    for summary in summaries:
        values = ["--" if m.mean is None else number(m.mean) for m in summary.metrics]
        lines.append(" & ".join([_escape(summary.team), *values]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _escape(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
