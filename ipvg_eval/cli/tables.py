"""Runs as tables on the terminal."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ipvg_eval.core.run import RunInfo
from ipvg_eval.core.spec import outside_metrics
from ipvg_eval.core.summary import CombinedSummary, CorpusSummary, MetricSummary, Summary
from ipvg_eval.core.verdict import Verdict
from ipvg_eval.core.verdict import in_words as verdicts_in_words
from ipvg_eval.results import Run
from ipvg_eval.results.identification import in_words
from ipvg_eval.results.profile import Profile
from ipvg_eval.results.summary import arrow, interval, number, state, worked_sum

_SHOWN_FAILURES = 5
_SHOWN_REASONS = 3
_LEFT: dict[str, Any] = {
    "title_justify": "left",
    "title_style": "bold",
    "caption_justify": "left",
}


def to_dict(runs: Sequence[Run], profiles: Sequence[Profile] = ()) -> dict[str, Any]:
    """Every run's folder, summary and, where there is one, profile."""
    records = [{"folder": str(r.folder.path), **r.summary.model_dump(mode="json")} for r in runs]
    for record, profile in zip(records, profiles, strict=False):
        record["profile"] = profile.to_dict()
    return {"runs": records}


def print_profile(profile: Profile, team: str, console: Console) -> None:
    """Where the time went."""
    table = Table(
        title=f"{escape(team)} · {profile.seconds:.1f} s",
        caption=f"networks {profile.share('network'):.1%}, detectors {profile.share('detect'):.1%}",
        box=box.SIMPLE_HEAD,
        **_LEFT,
    )
    table.add_column("stage")
    for column in ("seconds", "share", "calls"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in profile.rows:
        beside = row.kind == "beside"
        if beside and not table.rows[-1].end_section:
            table.add_section()
        name = f"{row.stage}, meanwhile in other processes" if beside else row.stage
        table.add_row(escape(name), f"{row.seconds:.2f}", f"{row.share:.1%}", str(row.calls))
    console.print(table)


def print_runs(runs: Sequence[Run], console: Console) -> None:
    """One run: interval and range of each metric. Several: the means, one column per team."""
    if len(runs) == 1:
        _print_one(runs[0], console)
    else:
        _print_many(runs, console)
    if notice := runs[0].summary.notice:
        console.print(f"[yellow]{escape(notice)}[/]")
    print_outside_metrics(runs[0].info, console)
    for run in runs:
        console.print(f"{run.summary.team}: {state(run.summary.counts)}. Run folder: ", end="", markup=False)
        console.out(str(run.folder.path))
    print_verdicts(runs[-1].info, console)


def print_outside_metrics(info: RunInfo, console: Console) -> None:
    """Which metrics are measured by other packages."""
    if words := outside_metrics(info.specs):
        console.print(f"Metrics {words}.", markup=False, soft_wrap=True)


def print_verdicts(info: RunInfo, console: Console) -> None:
    """Whether the numbers of a run were checked against published ones."""
    verdicts = info.verdicts
    if not verdicts:
        return
    words = f"Numbers: {verdicts_in_words(verdicts)}."
    if set(verdicts.values()) != {Verdict.REPRODUCES}:
        words += f" See `ipvg-eval doctor --protocol {info.protocol.name}`."
    console.print(words, markup=False, soft_wrap=True)


def print_failures(run: Run, console: Console) -> None:
    """The first few samples that could not be scored, or lack a metric that broke, with their reasons."""
    unscored = run.samples[run.samples["status"] != "scored"]
    failed = list(zip(unscored["sample"], unscored["reason"], strict=True))
    if run.summary.counts.broken:
        rows = run.folder.journal.read()
        failed += [
            (name, measurement.reason) for name in run.samples["sample"] for measurement in rows[name].broken
        ]
    for sample, reason in failed[:_SHOWN_FAILURES]:
        console.print(f"{run.summary.team} {sample}: {reason}", markup=False, soft_wrap=True)
    if (rest := len(failed) - _SHOWN_FAILURES) > 0:
        console.print(f"... and {rest} more, all in {run.folder.path / 'samples.csv'}", markup=False)


def _print_one(run: Run, console: Console) -> None:
    summary = run.summary
    table = Table(
        title=escape(f"{summary.team} · protocol {summary.protocol}"),
        caption=escape(f"{summary.intervals}; scored is how many samples have a value"),
        box=box.SIMPLE_HEAD,
        **_LEFT,
    )
    table.add_column("metric")
    for column in ("mean", "95 % interval", "min", "max", "scored"):
        table.add_column(column, justify="right", no_wrap=True)
    for m in summary.metrics:
        scored = f"{m.count}/{m.count + m.missing}"
        table.add_row(
            _heading(m),
            number(m.mean),
            interval(m.low, m.high),
            number(m.minimum),
            number(m.maximum),
            f"[red]{scored}[/]" if m.missing else scored,
        )
    console.print(table)
    _print_missing(run, console)
    if summary.caution:
        console.print(f"[yellow]{escape(summary.caution)}[/]", soft_wrap=True)
    _print_totals(summary, console)
    _print_identification(summary, console)


def _print_missing(run: Run, console: Console) -> None:
    """Why metrics have no value anywhere, those of one reason together."""
    rows = run.samples
    scored = rows[rows["status"] == "scored"]
    missing = [json.loads(text) for text in scored["missing"] if isinstance(text, str)]
    unscored = len(rows) - len(scored)
    metrics_of: dict[str, list[str]] = {}
    for metric in run.summary.metrics:
        if metric.count == 0 and metric.missing:
            found = Counter(row[metric.name] for row in missing if metric.name in row)
            found.update({"the video itself is not scored": unscored} if unscored else {})
            reasons = [f"{reason} ({count} of {metric.missing})" for reason, count in found.most_common()]
            rest = len(reasons) - _SHOWN_REASONS
            why = "; ".join(reasons[:_SHOWN_REASONS]) + (f"; and {rest} other reasons" if rest > 0 else "")
            metrics_of.setdefault(why, []).append(metric.name)
    for why, names in metrics_of.items():
        verb = "has" if len(names) == 1 else "have"
        console.print(f"{', '.join(names)} {verb} no value: {why}", markup=False, soft_wrap=True)


def _print_totals(summary: Summary, console: Console) -> None:
    """Weighted sums with their terms, and the metrics of the whole submission."""
    for total in summary.combined:
        ends = f" ({interval(total.low, total.high)})" if total.low is not None else ""
        console.print(f"[bold]{_heading(total)}[/] {number(total.value)}{ends}")
        console.print(escape(f"  {total.reason or worked_sum(total)}"))
    for metric in summary.corpus:
        counts = f"{metric.samples} samples, {metric.references} references"
        console.print(
            f"[bold]{_heading(metric)}[/] {number(metric.value)} over the whole submission: {counts}"
        )
        if metric.reason:
            console.print(escape(f"  {metric.reason}"))


def _print_identification(summary: Summary, console: Console) -> None:
    for one in summary.identification:
        console.print(f"[bold]whose face[/] by {escape(f'{one.metric}: {in_words(one)}')}", highlight=False)
        for hint in one.hints:
            console.print(f"[yellow]  {escape(hint)}[/]")


def _print_many(runs: Sequence[Run], console: Console) -> None:
    summaries = [run.summary for run in runs]
    table = Table(title=escape(f"protocol {summaries[0].protocol}"), box=box.SIMPLE_HEAD, **_LEFT)
    table.add_column("metric", no_wrap=True)
    for summary in summaries:
        table.add_column(escape(summary.team), justify="right", overflow="fold")
    for place, metric in enumerate(summaries[0].metrics):
        table.add_row(_heading(metric), *(number(summary.metrics[place].mean) for summary in summaries))
    table.add_section()
    for place, total in enumerate(summaries[0].combined):
        table.add_row(_heading(total), *(number(summary.combined[place].value) for summary in summaries))
    for place, corpus in enumerate(summaries[0].corpus):
        table.add_row(_heading(corpus), *(number(summary.corpus[place].value) for summary in summaries))
    table.add_section()
    table.add_row("scored", *(f"{s.counts.scored}/{s.counts.samples}" for s in summaries))
    console.print(table)


def _heading(metric: MetricSummary | CombinedSummary | CorpusSummary) -> str:
    return escape(f"{metric.name} {arrow(metric.higher_is_better)}".strip())
