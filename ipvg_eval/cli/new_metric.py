"""`ipvg-eval new-metric`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ipvg_eval.cli.consoles import STDERR, STDOUT


def new_metric(
    name: Annotated[str, typer.Argument(help="The metric's name, such as skin-tone.")],
    out: Annotated[
        Path | None, typer.Option(help="The package's folder; ipvg-eval-NAME here if left out.")
    ] = None,
) -> None:
    """Write a package with a metric of your own: spec, maths, evaluator, card and tests that pass."""
    from ipvg_eval.new_metric import write_package

    written = write_package(name, out)
    for file in written.files:
        STDOUT.out(str(written.folder / file))
    STDERR.print(
        f"Install it: pip install -e '{written.folder}[test]'; test it: pytest {written.folder}; "
        f"use it: ipvg-eval score SUBMISSION --protocol {written.folder / 'protocol.yaml'}",
        markup=False,
        soft_wrap=True,
    )
