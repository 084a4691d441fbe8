"""`ipvg-eval protocols`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ipvg_eval.cli.consoles import STDERR, STDOUT
from ipvg_eval.metrics.protocols.definition import read_definition, read_text, shipped_protocols

app = typer.Typer(help="The protocols: which metrics run with which rules.", no_args_is_help=True)


@app.command("list")
def list_protocols() -> None:
    """List the protocols that are shipped, and the metrics that installed packages add."""
    table = Table("name", "version", "what it is", "official")
    for name in shipped_protocols():
        definition = read_definition(name)
        table.add_row(name, str(definition.version), definition.title, "yes" if definition.official else "no")
    STDOUT.print(table)
    _list_outside()


def _list_outside() -> None:
    from ipvg_eval.metrics.plugins import BrokenPlugin, installed_plugins

    if not installed_plugins():
        return
    from ipvg_eval.metrics.registry import outside_evaluators

    table = Table("evaluator", "from", "metrics", title="Of installed packages, not of ipvg-eval")
    for plugin, found in outside_evaluators():
        if isinstance(found, BrokenPlugin):
            metrics = "[red]broken[/]"
            STDERR.print(f"[yellow]warning:[/] {escape(str(found))}", soft_wrap=True)
        else:
            metrics = escape(", ".join(spec.name for spec in found.SPECS))
        table.add_row(escape(plugin.kind), escape(str(plugin)), metrics)
    STDOUT.print(table)


@app.command("show")
def show(name: Annotated[str, typer.Argument(help="A shipped protocol, or a .yaml file.")]) -> None:
    """Print a protocol's file."""
    read_definition(name)
    STDOUT.out(read_text(name), end="")
