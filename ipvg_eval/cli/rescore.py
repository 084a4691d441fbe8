"""`ipvg-eval rescore`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def rescore(
    run: Annotated[Path, typer.Argument(help="Run folder, as `score` wrote it.")],
    protocol: Annotated[str, typer.Option(help="A shipped protocol, or a .yaml file.")],
    out: Annotated[
        Path | None, typer.Option(help="The new run folder; TEAM-PROTOCOL beside the run if left out.")
    ] = None,
    metrics: Annotated[str | None, typer.Option(help="Only these, separated by commas.")] = None,
    frames: Annotated[
        int | None, typer.Option(min=1, help="The --frames that the run was scored with, if any.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Recombine a run under another protocol, from what it kept. No video is decoded, no network runs."""
    from ipvg_eval.cli.score import finish, metric_names
    from ipvg_eval.scoring.rescore import rescore as rescore_run

    rescored = rescore_run(
        run, protocol, out=out, metrics=metric_names(metrics), frames=frames, command=tuple(sys.argv)
    )
    finish([rescored], as_json)
