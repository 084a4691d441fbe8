"""`ipvg-eval agree`."""

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
    from ipvg_eval.leaderboard.metric_agreement import QuestionAgreement


def agree(
    runs: Annotated[list[Path], typer.Argument(help="Run folders, one per team, as `score` wrote them.")],
    votes: Annotated[
        Path | None, typer.Option(help="Votes: a study's folder or study.db, or CSV as `elo` reads it.")
    ] = None,
    opinions: Annotated[
        Path | None,
        typer.Option(help="Opinion scores instead: a rating study, or CSV with team,sample and aspects."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write a page, JSON and LaTeX into this folder.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Say which metric agrees with people, beside chance and the annotators' own agreement."""
    from ipvg_eval.cli.leaderboard import read_any_opinions, read_any_votes
    from ipvg_eval.leaderboard import read_runs
    from ipvg_eval.leaderboard.metric_agreement import metric_agreement
    from ipvg_eval.leaderboard.opinion_votes import votes_from_opinions
    from ipvg_eval.leaderboard.site.agreement_page import agreement_dict, write_agreement
    from ipvg_eval.results.provenance import tool_version

    if (votes is None) == (opinions is None):
        raise UsageError("give either votes or opinion scores", hint="Say --votes study/ or --opinions FILE.")
    given = read_any_votes(votes) if votes else votes_from_opinions(read_any_opinions(opinions or Path()))
    found = metric_agreement(read_runs(runs), given)
    tool = f"ipvg-eval {tool_version()}"
    page = write_agreement(found, out, source=Path(given.source).name, tool=tool) if out else None
    if as_json:
        content = {"page": str(page) if page else None, **agreement_dict(found)}
        STDOUT.out_json(content)
        return
    for one in found:
        _print(one)
    if page:
        STDOUT.print("Page: ", end="")
        STDOUT.out(str(page))


def _print(one: QuestionAgreement) -> None:
    from ipvg_eval.leaderboard.site.agreement_page import percent, verdict

    table = Table(title=f"question {escape(one.question)}", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("metric", overflow="fold")
    for column in ("agreement [95 % interval]", "tau", "votes"):
        table.add_column(column, justify="right")
    for row in one.metrics:
        note = f" [dim]{escape(row.note)}[/]" if row.note else ""
        tau = "–" if row.tau is None else f"{row.tau:.2f}"
        table.add_row(f"{escape(row.name)}{note}", escape(percent(row.agreement)), tau, str(row.votes))
    table.add_section()
    table.add_row("best weights, unseen identities", escape(percent(one.fitted)), "", str(one.votes))
    table.add_row("another annotator (ceiling)", escape(percent(one.ceiling)), "", str(one.ceiling_pairs))
    STDOUT.print(table)
    STDOUT.print(f"{escape(verdict(one))} 50 % is chance.", highlight=False)
    for line in one.cautions:
        STDERR.print(f"[yellow]{escape(line)}[/]", soft_wrap=True)
