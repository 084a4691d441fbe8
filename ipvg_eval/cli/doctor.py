"""`ipvg-eval doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from ipvg_eval.cli.consoles import STDERR, STDOUT
from ipvg_eval.core.errors import ExitCode

if TYPE_CHECKING:
    from ipvg_eval.doctor import Examination


_COLOURS = {"good": "green", "bad": "bold red", "absent": "dim"}


def doctor(
    protocol: Annotated[
        str | None,
        typer.Option(help="Check this protocol's weights and numbers, too: a shipped one, or a .yaml file."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:N.")] = "auto",
    pull: Annotated[
        bool, typer.Option("--pull", help="Fetch the files that published numbers were measured on.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Check this installation and whether its numbers are right. Exit 3 if something is missing or wrong."""
    from ipvg_eval.doctor import examine
    from ipvg_eval.doctor.examination import pull_inputs

    for line in pull_inputs() if pull else ():
        STDERR.print(line, markup=False, soft_wrap=True)
    examination = examine(protocol, device=device)
    if as_json:
        STDOUT.out_json(examination.to_dict())
    else:
        _print(examination)
    raise typer.Exit(0 if examination.ok else ExitCode.UNAVAILABLE)


def _print(examination: Examination) -> None:
    for finding in examination.findings:
        STDOUT.print(
            f"[{_COLOURS[finding.state]}]{finding.state:6}[/] {escape(f'{finding.what}: {finding.detail}')}",
            soft_wrap=True,
        )
        if finding.hint:
            STDOUT.print(f"       {finding.hint}", markup=False, soft_wrap=True)
    for number in examination.numbers:
        verdict = number.verdict.value if number.verdict is not None else "cannot be measured here"
        colour = {"reproduces the published number": "green", "wrong, do not use": "bold red"}.get(
            verdict, "yellow"
        )
        STDOUT.print(f"[{colour}]{verdict}[/]: {escape(f'{number.metric}: {number.detail}')}", soft_wrap=True)
        if number.hint:
            STDOUT.print(f"       {number.hint}", markup=False, soft_wrap=True)
    if examination.protocol is None:
        STDOUT.print("Numbers were not looked at: name a protocol, as in `ipvg-eval doctor --protocol lite`.")
    STDOUT.print("[bold green]SOUND[/]" if examination.ok else "[bold red]NOT SOUND[/]")
