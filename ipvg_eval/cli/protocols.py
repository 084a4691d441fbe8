"""`ipvg-eval protocols`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from ipvg_eval.cli.consoles import STDOUT
from ipvg_eval.metrics.protocols.definition import read_definition, read_text, shipped_protocols

app = typer.Typer(help="The protocols: which metrics run with which rules.", no_args_is_help=True)


@app.command("list")
def list_protocols() -> None:
    """List the protocols that are shipped."""
    table = Table("name", "version", "what it is", "official")
    for name in shipped_protocols():
        definition = read_definition(name)
        table.add_row(name, str(definition.version), definition.title, "yes" if definition.official else "no")
    STDOUT.print(table)


@app.command("show")
def show(name: Annotated[str, typer.Argument(help="A shipped protocol, or a .yaml file.")]) -> None:
    """Print a protocol's file."""
    read_definition(name)
    STDOUT.out(read_text(name), end="")
