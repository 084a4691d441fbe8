"""`ipvg-eval select`: per sample the best of several scored submissions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ipvg_eval.cli.consoles import STDERR, STDOUT
from ipvg_eval.core.errors import ExitCode, UsageError
from ipvg_eval.errors import RunError

if TYPE_CHECKING:
    from ipvg_eval.reference_generator.selection import Candidate, Selection
    from ipvg_eval.results import Run
    from ipvg_eval.submission import Submission

_ALIASES = {"overall": "overall_score"}


def select(
    runs: Annotated[list[Path], typer.Argument(help="Run folders, one per candidate.")],
    by: Annotated[str, typer.Option(help="Metric or weighted sum to choose by, such as overall.")],
    out: Annotated[Path, typer.Option(help="Submission folder to write.")],
    submissions: Annotated[
        list[Path],
        typer.Option(
            "--submission", help="Folder or zip that a run scored; once per run, in the same order."
        ),
    ],
) -> None:
    """Build a submission out of the best video of each sample, and say who won how often."""
    from ipvg_eval.reference_generator.selection import choose, write_selection
    from ipvg_eval.results import load_run
    from ipvg_eval.submission import load_submission

    if len(submissions) != len(runs):
        raise UsageError(
            f"{len(runs)} runs, but {len(submissions)} submissions",
            hint="Give --submission once per run, in the same order.",
        )
    loaded = [load_run(path) for path in runs]
    _check_comparable(loaded)
    metric, higher_is_better = _metric(loaded, by)
    candidates = [
        _candidate(run, load_submission(path), metric) for run, path in zip(loaded, submissions, strict=True)
    ]
    videos = dict(zip(loaded[0].samples["sample"], loaded[0].samples["video"], strict=True))
    selection = choose(candidates, videos, by=metric, higher_is_better=higher_is_better)
    write_selection(selection, candidates, out)
    _print(selection, out)
    if selection.missing:
        raise typer.Exit(ExitCode.SOME_FAILED)


def _check_comparable(runs: Sequence[Run]) -> None:
    from ipvg_eval.core.comparability import differences

    for run in runs[1:]:
        different = differences(runs[0].info, run.info)
        if different:
            name, (one, other) = next(iter(different.items()))
            raise RunError(
                f"not comparable with {runs[0].folder.path}: {name} is {other} here, {one} there",
                path=run.folder.path,
                hint="Score both submissions with the same protocol, test set and weights.",
            )


def _metric(runs: Sequence[Run], by: str) -> tuple[str, bool]:
    from ipvg_eval.core.suggest import did_you_mean

    info = runs[0].info
    directions = {spec.name: spec.higher_is_better for spec in info.specs}
    directions |= {combined.name: combined.higher_is_better for combined in info.protocol.combined}
    name = by if by in directions else _ALIASES.get(by, by)
    if name not in directions:
        raise UsageError(f"these runs have no metric {by!r}", hint=did_you_mean(by, directions))
    direction = directions[name]
    if direction is None:
        raise UsageError(f"{name} has no better direction", hint="Choose by another metric.")
    return name, direction


def _candidate(run: Run, submission: Submission, metric: str) -> Candidate:
    from ipvg_eval.reference_generator.selection import Candidate

    rows = run.samples
    scored = zip(rows["sample"], rows[metric], strict=True)
    videos = {}
    for sample, video, sha256 in zip(rows["sample"], rows["video"], rows["video_sha256"], strict=True):
        if not submission.has(video):
            continue
        if isinstance(sha256, str) and submission.sha256(video) != sha256:
            raise RunError(
                f"its video {video} is not the one in {submission.path}",
                path=run.folder.path,
                hint="Give the submission that this run scored, or score it again.",
            )
        videos[sample] = video
    return Candidate(
        name=run.info.team,
        scores={s: None if value is None or math.isnan(value) else float(value) for s, value in scored},
        videos=videos,
        open=submission.open_stream,
    )


def _print(selection: Selection, out: Path) -> None:
    table = Table("Candidate", "Won", "Share", escape(f"Mean {selection.by}"))
    total = len(selection.choices)
    for name, wins in selection.wins.items():
        table.add_row(escape(name), str(wins), f"{wins / total:.0%}", _number(selection.means[name]))
    table.add_row("[bold]chosen[/]", str(total - len(selection.missing)), "", _number(selection.mean))
    STDOUT.print(table)
    STDOUT.print(f"{total - len(selection.missing)} videos: {out}", markup=False, soft_wrap=True)
    guessed = [c.sample for c in selection.choices if c.note is not None and c.winner is not None]
    if guessed:
        STDERR.print(
            f"[yellow]warning:[/] nobody has a {escape(selection.by)} for {len(guessed)} samples; the first "
            "candidate serves there.",
            soft_wrap=True,
        )
    if selection.missing:
        STDERR.print(
            f"[red]missing:[/] nobody has a video for {escape(', '.join(selection.missing[:10]))}",
            soft_wrap=True,
        )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
