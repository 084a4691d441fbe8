"""summary.md and summary.tex: a run in a few numbers, for people."""

from __future__ import annotations

from collections.abc import Sequence

from ipvg_eval.core.printable import latex_best, latex_text, markdown_text, printable
from ipvg_eval.core.summary import CombinedSummary, CorpusSummary, Counts, MetricSummary, Summary


def number(value: float | None) -> str:
    """A value for people: about four digits, a dash where there is none."""
    if value is None:
        return "–"
    decimals = 1 if abs(value) >= 100 else 2 if abs(value) >= 10 else 4
    return f"{value:.{decimals}f}"


def interval(low: float | None, high: float | None) -> str:
    """Both ends of an interval for people; a dash where there is none."""
    return "–" if low is None or high is None else f"{number(low)} to {number(high)}"


def worked_sum(combined: CombinedSummary) -> str:
    """A weighted sum with every term, as one would write it down."""
    terms = " + ".join(f"{t.weight:g} × {number(t.mean)} {t.metric}" for t in combined.terms)
    return f"{terms} = {number(combined.value)}"


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
        "without a metric that broke": counts.broken,
    }
    rest = [f"{amount} {what}" for what, amount in amounts.items() if amount]
    return ", ".join([f"{counts.scored} of {counts.samples} samples scored", *rest])


def to_markdown(summary: Summary) -> str:
    """A table with one line per metric, then the weighted sums and the metrics of the whole submission."""
    lines = [
        f"# {markdown_text(summary.team)}",
        "",
        f"Protocol {markdown_text(summary.protocol)}, test set {summary.testset[:12]}: "
        f"{state(summary.counts)}.",
        "",
    ]
    if summary.notice:
        lines += [f"**{markdown_text(summary.notice)}**", ""]
    lines += [
        "| metric | mean | 95 % interval | std | min | median | max | scored | missing |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for m in summary.metrics:
        values = " | ".join(number(v) for v in (m.std, m.minimum, m.median, m.maximum))
        ends = interval(m.low, m.high)
        name = _headed(m) + (f" (from {markdown_text(m.package)})" if m.package else "")
        lines.append(f"| {name} | {number(m.mean)} | {ends} | {values} | {m.count} | {m.missing} |")
    lines += ["", f"Means are over the samples that have a value; {summary.intervals}."]
    if summary.caution:
        lines += ["", markdown_text(summary.caution)]
    return (
        "\n".join([*lines, *_combined_lines(summary), *_corpus_lines(summary), *_identity_lines(summary)])
        + "\n"
    )


def _combined_lines(summary: Summary) -> list[str]:
    if not summary.combined:
        return []
    rows = [
        f"| {_headed(c)} | {number(c.value)} | {interval(c.low, c.high)} "
        f"| {_remark(c.reason or worked_sum(c))} |"
        for c in summary.combined
    ]
    return ["", "| weighted sum of means | value | 95 % interval | terms |", "|---|--:|--:|---|", *rows]


def _corpus_lines(summary: Summary) -> list[str]:
    if not summary.corpus:
        return []
    rows = [
        f"| {_headed(c)} | {number(c.value)} | {c.samples} | {c.references} | {_remark(c.reason)} |"
        for c in summary.corpus
    ]
    head = "| whole submission | value | samples | references | remark |"
    return ["", head, "|---|--:|--:|--:|---|", *rows]


def _identity_lines(summary: Summary) -> list[str]:
    if not summary.identification:
        return []
    head = [
        "",
        "| whose face | rank-1 | rank-5 | AUC | d\u2032 | above threshold | videos |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    rows = []
    for one in summary.identification:
        cells = [
            f"{number(part.value)} ({interval(part.low, part.high)})"
            for part in (one.rank_1, one.rank_5, one.auc, one.d_prime, one.matched)
        ]
        name = f"{_named(one.metric)}{' (proxy)' if one.proxy else ''}"
        rows.append(f"| {name} | {' | '.join(cells)} | {one.videos} |")
    hints = [
        f"- {_named(one.metric)}: {markdown_text(hint)}"
        for one in summary.identification
        for hint in one.hints
    ]
    note = "Each video against the references of everybody; the threshold has a false match rate of 1e-3."
    return [*head, *rows, "", note, *(["", *hints] if hints else [])]


def _remark(text: str | None) -> str:
    return markdown_text(text or "")


def _headed(summary: MetricSummary | CombinedSummary | CorpusSummary) -> str:
    return f"{_named(summary.name)} {arrow(summary.higher_is_better)}".strip()


def _named(metric: str) -> str:
    """A metric's name; underscores inside a word mean nothing in Markdown, and stay readable."""
    return metric if metric.isidentifier() else markdown_text(metric)


def to_latex(summaries: Sequence[Summary]) -> str:
    r"""A booktabs table with one row per team, as papers print it.

    Columns are the metrics, the weighted sums and the metrics of the whole submission; all summaries have the
    same ones. Of several teams, the best of a column is bold and the second underlined.
    """
    first = summaries[0]
    marks = {True: r" $\uparrow$", False: r" $\downarrow$", None: ""}
    columns: list[MetricSummary | CombinedSummary | CorpusSummary]
    columns = [*first.metrics, *first.combined, *first.corpus]
    head = [latex_text(column.title) + marks[column.higher_is_better] for column in columns]
    lines = [
        f"% protocol {printable(first.protocol)}, test set {printable(first.testset)}",
        *(f"% {printable(line)}" for line in (first.notice, first.caution) if line),
        rf"\begin{{tabular}}{{l{'r' * len(head)}}}",
        r"\toprule",
        " & ".join(["Team", *head]) + r" \\",
        r"\midrule",
    ]
    rows = []
    for summary in summaries:
        means = [m.mean for m in summary.metrics]
        totals = [c.value for c in summary.combined] + [c.value for c in summary.corpus]
        rows.append(["--" if value is None else number(value) for value in (*means, *totals)])
    marked = [
        latex_best(cells, column.higher_is_better)
        for cells, column in zip(zip(*rows, strict=True), columns, strict=True)
    ]
    for place, summary in enumerate(summaries):
        cells = [latex_text(summary.team), *(column[place] for column in marked)]
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"
