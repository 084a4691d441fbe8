"""`ipvg-eval study plan`."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from ipvg_eval.cli.consoles import STDOUT
from ipvg_eval.cli.progress import delayed_progress
from ipvg_eval.core.errors import UsageError

if TYPE_CHECKING:
    from ipvg_eval.core.intervals import FloatArray
    from ipvg_eval.leaderboard.study_power import StudyPlan

_SECONDS = 20.0
_WINS = 55.0


def plan_command(
    teams: Annotated[int | None, typer.Option(min=2, max=12, help="Finalists; 3 if left out.")] = None,
    wins: Annotated[
        list[float] | None,
        typer.Option(
            metavar="PERCENT",
            help="How often a team beats the next one: once for all, or one for each step. 55 if left out.",
        ),
    ] = None,
    votes: Annotated[
        Path | None, typer.Option(help="Take the strengths from votes: a study's folder, or CSV.")
    ] = None,
    question: Annotated[str | None, typer.Option(help="Which question of the votes.")] = None,
    annotators: Annotated[int, typer.Option(min=1, help="1 is a panel that speaks for itself.")] = 20,
    identities: Annotated[int, typer.Option(min=5, help="Different faces in the test set.")] = 200,
    prompts: Annotated[int, typer.Option(min=1, help="Samples per face.")] = 5,
    each: Annotated[int, typer.Option(min=1, help="Annotators per comparison.")] = 1,
    minutes: Annotated[
        float | None, typer.Option(min=0.1, help="That one annotator gives; all comparisons if left out.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="Per vote; those of the votes' study, or 20.")
    ] = None,
    decide: Annotated[Literal["first", "order"], typer.Option(help="The winner, or the order.")] = "order",
    error: Annotated[float, typer.Option(min=0.001, max=0.4, help="Share of wrong answers.")] = 0.05,
    face: Annotated[float, typer.Option(min=0, help="How much faces move strengths (sd, log-odds).")] = 0.3,
    taste: Annotated[float, typer.Option(min=0, help="How much annotators move them.")] = 0.2,
    simulations: Annotated[int, typer.Option(min=20, help="Simulated studies per number.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Of the simulations.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Say how many votes and hours a study needs, fixed or adaptive, before anybody is asked."""
    from ipvg_eval.core.jsonable import jsonable
    from ipvg_eval.leaderboard.simulated_studies import Crowd
    from ipvg_eval.leaderboard.stopping import StoppingRule
    from ipvg_eval.leaderboard.study_power import plan_study

    if votes is not None and (teams is not None or wins):
        raise UsageError("the strengths are given twice", hint="Say --votes, or --teams and --wins.")
    names, strengths = _of_votes(votes, question) if votes else _assumed(teams, wins or [_WINS])
    pace = seconds or (votes and _pace(votes)) or _SECONDS
    people = 0 if annotators == 1 else annotators
    with delayed_progress("Simulated votes") as on_votes:
        found = plan_study(
            Crowd(
                strengths=strengths,
                identities=identities,
                prompts=prompts,
                annotators=people,
                face=face,
                taste=taste,
            ),
            names,
            StoppingRule(decide=decide, error=error),
            each=each,
            seconds=pace,
            most=None if minutes is None else int(annotators * minutes * 60 / pace),
            studies=simulations,
            seed=seed,
            on_votes=on_votes,
        )
    if as_json:
        STDOUT.out_json(jsonable(found))
    else:
        _print(found, face, taste)


def _assumed(teams: int | None, wins: list[float]) -> tuple[tuple[str, ...], FloatArray]:
    from ipvg_eval.leaderboard.study_power import strengths_of

    count = teams or max(3 if len(wins) == 1 else 2, len(wins) + 1)
    if len(wins) not in (1, count - 1):
        raise UsageError(
            f"{len(wins)} --wins for {count} teams",
            hint=f"Give one for all, or {count - 1}: each team against the next.",
        )
    if any(not 50 <= share < 100 for share in wins):
        raise UsageError("--wins is no percentage from 50 to below 100", hint="55 is a small difference.")
    steps = wins if len(wins) == count - 1 else wins * (count - 1)
    return tuple(f"team {number + 1}" for number in range(count)), strengths_of([w / 100 for w in steps])


def _of_votes(path: Path, question: str | None) -> tuple[tuple[str, ...], FloatArray]:
    from ipvg_eval.cli.leaderboard import read_any_votes
    from ipvg_eval.leaderboard import rate

    table = rate(read_any_votes(path), question=question).bradley_terry
    known = [place for place, value in enumerate(table.strengths) if value == value]
    return tuple(table.teams[place] for place in known), table.strengths[known]


def _pace(path: Path) -> float | None:
    """Median seconds per answer of a study."""
    if path.suffix == ".csv" or not (path.is_dir() or path.suffix == ".db"):
        return None
    from ipvg_eval.leaderboard.study import audit_table, open_study

    taken = audit_table(open_study(path))["seconds"]
    return max(statistics.median(taken), 0.1) if len(taken) else None


def _print(plan: StudyPlan, face: float, taste: float) -> None:
    from ipvg_eval.leaderboard.study_power import POWER, win_chances

    shares = ", ".join(f"{100 * share:.0f} %" for share in win_chances(plan.strengths))
    names = ", ".join(sorted(plan.teams, key=lambda team: -plan.strengths[plan.teams.index(team)]))
    STDOUT.print(
        escape(f"{names}: each beats the next in {shares} of comparisons."), soft_wrap=True, highlight=False
    )
    table = Table(title="A fixed schedule: all pairs alike", title_justify="left", box=box.SIMPLE_HEAD)
    for column in ("votes", "hours", "per annotator", "first is known", "order is known"):
        table.add_column(column, justify="right")
    for row in plan.schedule:
        table.add_row(
            str(row.votes),
            f"{row.hours:.1f}",
            f"{60 * row.hours / plan.annotators:.0f} min",
            f"{row.first:.0%}",
            f"{row.order:.0%}",
        )
    STDOUT.print(table)
    what, adaptive = "who is first" if plan.rule.decide == "first" else "the order", plan.adaptive
    lines = [
        f"{plan.needed.votes} votes, {plan.needed.hours:.1f} hours, tell {what} in {POWER:.0%} of studies."
        if plan.needed
        else f"All {plan.most} votes tell {what} in fewer than {POWER:.0%} of studies.",
        f"All votes tell apart neighbours of which one wins {100 * plan.smallest:.0f} % ({POWER:.0%})."
        if plan.smallest
        else "No difference between neighbours that was tried is told apart by all votes.",
        f"Adaptive: {adaptive.votes:.0f} votes, {plan.hours(adaptive.votes):.1f} hours on average; "
        f"{adaptive.decided:.0%} of studies end with an answer, {adaptive.wrong:.1%} with a wrong one. "
        f"{plan.rule.words()}",
        f"Assumed: faces move strengths by {face:g}, annotators by {taste:g} (sd, log-odds); "
        f"{plan.seconds:.0f} s a vote, attention checks not counted. {plan.studies} simulated studies, "
        f"seed {plan.seed}.",
    ]
    for line in lines:
        STDOUT.print(escape(line), soft_wrap=True, highlight=False)
