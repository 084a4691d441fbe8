"""`ipvg-eval report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ipvg_eval.cli.consoles import STDOUT


def report(
    run: Annotated[Path, typer.Argument(help="Run folder, as `score` wrote it.")],
    out: Annotated[Path | None, typer.Option(help="The page to write; RUN/report.html if left out.")] = None,
) -> None:
    """Write one self-contained page about a run."""
    from ipvg_eval.cli.output_file import expect_writable
    from ipvg_eval.report import write_report
    from ipvg_eval.results import load_run

    expect_writable(out, endings=(".html", ".htm"))
    STDOUT.out(str(write_report(load_run(run), out)))
