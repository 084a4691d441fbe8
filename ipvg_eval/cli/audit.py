"""`ipvg-eval audit`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ipvg_eval.cli.consoles import STDOUT
from ipvg_eval.cli.decoding import BudgetOfSubmission, RequireConfinement
from ipvg_eval.core.limits import ProcessLimits


def audit(
    sources: Annotated[
        list[Path],
        typer.Argument(help="Submissions and run folders, of one team or several."),
    ],
    testset: Annotated[
        Path | None,
        typer.Option(
            help="Test set; found as for `score` if left out. Without one, faces are not looked at."
        ),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(help="Thresholds: a protocol's audit section, or a .yaml file of thresholds alone."),
    ] = None,
    faces: Annotated[bool, typer.Option(help="Look at faces, which takes most of the time.")] = True,
    budget: BudgetOfSubmission = None,
    require_confinement: RequireConfinement = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Look for what metrics alone would reward: still, looped, repeated or pasted videos, hidden faces, text.

    Findings are for people to look at and disqualify nobody, so the exit code is 0. What is found about a run
    is also written into its folder as audit.json, which `report` shows.
    """
    from ipvg_eval.audit import audit as look
    from ipvg_eval.audit import is_run, load_thresholds
    from ipvg_eval.audit.records import write_audit
    from ipvg_eval.audit.terminal import render
    from ipvg_eval.cli.progress import delayed_progress
    from ipvg_eval.cli.testset_warnings import loaded_with_warnings
    from ipvg_eval.results import load_run
    from ipvg_eval.testset import find_testset_if_any

    runs = [load_run(path) for path in sources if is_run(path)]
    others = [path for path in sources if not is_run(path)]
    thresholds = load_thresholds(protocol) if protocol is not None else None
    place = find_testset_if_any(testset, others[0]) if others else testset
    with delayed_progress("looking at videos") as progress:
        report = look(
            [*others, *runs],
            testset=loaded_with_warnings(place) if place is not None else None,
            thresholds=thresholds,
            faces=faces,
            limits=ProcessLimits(require_confinement=require_confinement),
            budget=budget,
            on_video=progress,
        )
    for run in runs:
        write_audit(report, run)
    if as_json:
        STDOUT.out_json(report.to_dict())
    else:
        render(report, STDOUT)
