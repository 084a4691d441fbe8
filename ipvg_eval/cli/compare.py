"""`ipvg-eval compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from ipvg_eval.cli.consoles import STDERR, STDOUT
from ipvg_eval.core.errors import UsageError

if TYPE_CHECKING:
    from ipvg_eval.comparison import Comparison, CorpusComparison, MetricComparison


def compare(
    run_a: Annotated[Path, typer.Argument(help="Run folder A, as `score` wrote it.")],
    run_b: Annotated[Path, typer.Argument(help="Run folder B.")],
    most: Annotated[int, typer.Option(min=0, help="Name the N samples of each metric that differ most.")] = 3,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Compare what both have, although their numbers do not compare.")
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Also write pages: scatter, identities, the samples as players."),
    ] = None,
    submissions: Annotated[
        list[str] | None,
        typer.Option(
            "--submission",
            metavar="PATH|TEAM=PATH",
            help="With --html: the videos, as for `view`; repeatable. Stills without it.",
        ),
    ] = None,
    testset: Annotated[
        Path | None, typer.Option(help="With --html: the test set, for prompts and references.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Say where two runs differ, by how much, and whether that is more than chance."""
    from ipvg_eval.cli.tables import print_outside_metrics
    from ipvg_eval.comparison import compare as compare_runs
    from ipvg_eval.results import load_run

    first = load_run(run_a)
    comparison = compare_runs(first, load_run(run_b), most=most, anyway=anyway)
    _shout(comparison)
    if html is None and (submissions or testset is not None):
        raise UsageError("--submission and --testset are about pages", hint="Give --html DIR, too.")
    if html is not None:
        _write_pages([run_a, run_b], submissions or [], testset, html)
    if as_json:
        from ipvg_eval.core.jsonable import jsonable

        shown = jsonable(comparison)
        del shown["pairs"]
        STDOUT.out_json(shown)
    else:
        _print(comparison)
        print_outside_metrics(first.info, STDOUT)


def _write_pages(runs: list[Path], submissions: list[str], testset: Path | None, out: Path) -> None:
    from ipvg_eval.viewer import export, gather

    material = gather(runs, submissions, testset, start="compare")
    for side in material.sides:
        if side.videos:
            name, why = escape(side.name), escape(side.videos)
            STDERR.print(f"[yellow]{name}: stills only[/]: {why}", soft_wrap=True)
    for problem in export(material, out):
        STDERR.print(f"[yellow]left out:[/] {escape(problem)}", soft_wrap=True)
    STDERR.print(f"The pages begin with {escape(str(out / 'index.html'))}", soft_wrap=True)


def _shout(comparison: Comparison) -> None:
    if not comparison.not_comparable:
        return
    STDERR.print("[bold red]THESE RUNS DO NOT COMPARE[/]; read nothing into the differences:", soft_wrap=True)
    for fact, (a, b) in comparison.not_comparable.items():
        STDERR.print(f"  {fact}: {a} in A, {b} in B", markup=False, soft_wrap=True)


def _print(comparison: Comparison) -> None:
    a, b = comparison.a, comparison.b
    for letter, side in (("A", a), ("B", b)):
        STDOUT.print(f"[bold]{letter}[/] {escape(side.team)}  ", end="")
        STDOUT.out(side.folder)
    for notice in dict.fromkeys(side.notice for side in (a, b) if side.notice):
        STDOUT.print(f"[yellow]{escape(notice)}[/]")
    if comparison.not_comparable:
        STDOUT.print(f"[bold red]NOT COMPARABLE: {escape(', '.join(comparison.not_comparable))} differ[/]")
    STDOUT.print(_means(comparison))
    for corpus in comparison.corpus:
        STDOUT.print(_corpus_line(corpus))
    STDOUT.print(
        f"{comparison.samples} samples of {comparison.identities} identities are in both runs; each line is "
        f"over those where both have a value. {comparison.intervals}; * where the difference is larger than "
        f"chance, corrected after Holm for {len(comparison.metrics)} metrics.",
        markup=False,
    )
    if comparison.caution:
        STDOUT.print(f"[yellow]{escape(comparison.caution)}[/]")
    for one in comparison.metrics:
        if one.only_a or one.only_b:
            where = f"{one.only_a} samples have a value in A only, {one.only_b} in B only."
            STDOUT.print(f"{one.name}: {where}", markup=False)
    if any(one.most for one in comparison.metrics):
        STDOUT.print(_largest(comparison))


def _means(comparison: Comparison) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("metric", overflow="fold")
    for column in ("A", "B", "A − B", "95 % interval", "wins A/B/ties"):
        table.add_column(column, justify="right", no_wrap=True)
    for one in comparison.metrics:
        table.add_row(
            _heading(one),
            _number(one.mean_a),
            _number(one.mean_b),
            _signed(one.difference) + ("*" if one.clear else ""),
            f"{_signed(one.low)} to {_signed(one.high)}" if one.low is not None else "–",
            "–" if one.wins_a is None else f"{one.wins_a}/{one.wins_b}/{one.ties}",
        )
    return table


def _largest(comparison: Comparison) -> Table:
    table = Table(title="Samples that differ most", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("metric")
    table.add_column("sample", overflow="fold")
    for column in ("A", "B", "A − B"):
        table.add_column(column, justify="right", no_wrap=True)
    for one in comparison.metrics:
        for place, sample in enumerate(one.most):
            table.add_row(
                _heading(one) if place == 0 else "",
                escape(sample.sample),
                _number(sample.a),
                _number(sample.b),
                _signed(sample.a - sample.b),
            )
    return table


def _corpus_line(one: CorpusComparison) -> str:
    values = f"A {_number(one.a)}, B {_number(one.b)}, A − B {_signed(one.difference)}"
    return f"{_heading(one)} of the whole submission: {values}; no interval"


def _heading(one: MetricComparison | CorpusComparison) -> str:
    from ipvg_eval.results.summary import arrow

    return escape(f"{one.name} {arrow(one.higher_is_better)}".strip())


def _number(value: float | None) -> str:
    from ipvg_eval.results.summary import number

    return number(value)


def _signed(value: float | None) -> str:
    text = _number(value)
    return f"+{text}" if value is not None and value > 0 else text
