"""Runs as tables on the terminal."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ipvg_eval.results import Run
from ipvg_eval.results.aggregate import MetricSummary
from ipvg_eval.results.summary import arrow, number, state

_SHOWN_FAILURES = 5


def to_json(runs: Sequence[Run]) -> str:
    """Every run's folder and summary."""
    return json.dumps(
        {"runs": [{"folder": str(r.folder.path), **r.summary.model_dump(mode="json")} for r in runs]},
        indent=2,
        ensure_ascii=False,
    )


def print_runs(runs: Sequence[Run], console: Console) -> None:
    """One run: every statistic of each metric. Several: the means, one column per team."""
    if len(runs) == 1:
        _print_one(runs[0], console)
    else:
        _print_many(runs, console)
    if notice := runs[0].summary.notice:
        console.print(f"[yellow]{escape(notice)}[/]")
    for run in runs:
        console.print(f"{run.summary.team}: {state(run.summary.counts)}. Run folder: ", end="", markup=False)
        console.out(str(run.folder.path))


def print_failures(run: Run, console: Console) -> None:
    """The first few samples that could not be scored, with their reasons."""
    failed = run.samples[run.samples["status"] != "scored"]
    for row in failed.head(_SHOWN_FAILURES).itertuples():
        console.print(f"{run.summary.team} {row.sample}: {row.reason}", markup=False, soft_wrap=True)
    if (rest := len(failed) - _SHOWN_FAILURES) > 0:
        console.print(f"... and {rest} more, all in {run.folder.path / 'samples.csv'}", markup=False)


def _print_one(run: Run, console: Console) -> None:
    summary = run.summary
    table = Table(
        title=f"{escape(summary.team)} · protocol {summary.protocol}",
        title_justify="left",
        title_style="bold",
    )
    table.add_column("metric")
    for column in ("mean", "std", "min", "median", "max", "scored", "missing"):
        table.add_column(column, justify="right")
    for m in summary.metrics:
        values = (number(v) for v in (m.mean, m.std, m.minimum, m.median, m.maximum))
        missing = f"[red]{m.missing}[/]" if m.missing else "0"
        table.add_row(_heading(m), *values, str(m.count), missing)
    console.print(table)


def _print_many(runs: Sequence[Run], console: Console) -> None:
    table = Table(title=f"protocol {runs[0].summary.protocol}", title_justify="left", title_style="bold")
    table.add_column("metric", no_wrap=True)
    for run in runs:
        table.add_column(escape(run.summary.team), justify="right", overflow="fold")
    for metric in runs[0].summary.metrics:
        values = (number(run.summary.metric(metric.name).mean) for run in runs)
        table.add_row(_heading(metric), *values)
    table.add_section()
    counts = (run.summary.counts for run in runs)
    table.add_row("scored", *(f"{c.scored}/{c.samples}" for c in counts))
    console.print(table)


def _heading(metric: MetricSummary) -> str:
    return f"{metric.name} {arrow(metric.higher_is_better)}".strip()
