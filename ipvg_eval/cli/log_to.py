"""The options that log a run to experiment trackers."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from ipvg_eval.cli.consoles import STDERR
from ipvg_eval.core.errors import UsageError

if TYPE_CHECKING:
    from ipvg_eval.results import Run
    from ipvg_eval.trackers import Tracker

LogTo = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TRACKER[:PROJECT]",
        help="Log the finished run: tensorboard, wandb, mlflow or trackio; may be given several times.",
    ),
]
LogStep = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=2**62,
        help="With --log-to: the checkpoint's training step, its place on the curves; 0 if left out.",
    ),
]


def open_trackers(log_to: Sequence[str] | None, step: int | None) -> Mapping[str, Tracker]:
    """The trackers by what was typed, each with its package imported.

    Raises:
        UsageError, PackageMissing: as `ipvg_eval.trackers.open_tracker`; or a step is given and no tracker.
    """
    if not log_to:
        if step is not None:
            raise UsageError("--log-step is for --log-to", hint="Add --log-to TRACKER, or leave it out.")
        return {}
    from ipvg_eval.trackers import open_tracker

    with redirect_stdout(sys.stderr):
        return {words: open_tracker(words) for words in log_to}


def log_runs(trackers: Mapping[str, Tracker], runs: Sequence[Run], step: int | None) -> None:
    """Log every run to every tracker. What fails is a warning: the runs are on disk."""
    from ipvg_eval.trackers import record_of

    for words, tracker in trackers.items():
        for run in runs:
            try:
                with redirect_stdout(sys.stderr):  # stdout is for results
                    place = tracker.log(record_of(run, step or 0))
            except Exception as error:
                why = f"{run.summary.team} is not logged to {words} ({type(error).__name__}: {error})."
                kept = f"The run itself is whole: {run.folder.path}"
                STDERR.print(f"[bold yellow]warning:[/] {escape(why)} {escape(kept)}", soft_wrap=True)
            else:
                STDERR.print(f"{run.summary.team} is logged: {place}", markup=False, soft_wrap=True)
