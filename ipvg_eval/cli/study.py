"""`ipvg-eval study`: people compare or rate the finalists' videos."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from ipvg_eval.cli.consoles import STDERR, STDOUT, listing
from ipvg_eval.cli.decoding import RequireConfinement
from ipvg_eval.cli.progress import delayed_progress
from ipvg_eval.cli.study_plan import plan_command
from ipvg_eval.core.errors import UsageError
from ipvg_eval.core.printable import csv_text

if TYPE_CHECKING:
    from ipvg_eval.leaderboard.study import Created, Overview, StudyConfig
    from ipvg_eval.leaderboard.study.adaptive import Progress

app = typer.Typer(
    no_args_is_help=True, help="Let people compare the finalists' videos, pair by pair, or rate them."
)

app.command("plan")(plan_command)

_Folder = Annotated[Path, typer.Argument(metavar="STUDY", help="The folder `study create` made.")]
_LOCAL = ("127.0.0.1", "::1", "localhost")


@app.command("create")
def create_command(
    out: Annotated[Path, typer.Option(help="The study's folder; it must not exist yet.")],
    runs: Annotated[list[Path] | None, typer.Option(help="Run folders of the finalists.")] = None,
    more_runs: Annotated[
        list[Path] | None, typer.Argument(metavar="[RUNS]...", help="More run folders.")
    ] = None,
    submissions: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH|TEAM=PATH",
            help="The finalists' submissions, or folders that hold them; repeatable.",
        ),
    ] = None,
    testset: Annotated[
        Path | None,
        typer.Option(help="Test set; else $IPVG_TESTSET, else testset/ beside the submission or here."),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="study.yaml: questions, checks and so on.")] = None,
    kind: Annotated[
        str | None, typer.Option(help="pair: which of two videos is better. rating: how good each one is.")
    ] = None,
    annotators: Annotated[int | None, typer.Option(min=1, help="Deal the work to so many people.")] = None,
    share: Annotated[float | None, typer.Option(help="Use this share of the samples, 0 to 1.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of every draw.")] = None,
    adaptive: Annotated[
        bool,
        typer.Option("--adaptive", help="Choose each next pair from the answers so far, and stop by rule."),
    ] = False,
    require_confinement: RequireConfinement = False,
) -> None:
    """Make a study of all pairs of the finalists, or of all their videos.

    Started again after an interruption, it goes on.
    """
    from ipvg_eval.clips import ClipMaker
    from ipvg_eval.leaderboard.stopping import StoppingRule
    from ipvg_eval.leaderboard.study import create_study, read_study_config
    from ipvg_eval.study_source import study_source

    given: dict[str, Any] = {"kind": kind, "annotators": annotators, "share": share, "seed": seed}
    settings = read_study_config(config, **{key: value for key, value in given.items() if value is not None})
    if adaptive and settings.adaptive is None:
        settings = settings.model_copy(update={"adaptive": StoppingRule()})
    teams, samples = study_source([*(runs or []), *(more_runs or [])], submissions or [], testset)
    with (
        ClipMaker(require_confinement=require_confinement) as maker,
        delayed_progress("Clips") as on_clip,
    ):
        created = create_study(
            teams, samples, settings, out, on_clip=on_clip, workers=maker.processes, tools=maker
        )
    _report(created, settings)


@app.command("tokens")
def tokens_command(
    study: _Folder,
    count: Annotated[int, typer.Argument(min=1, help="How many annotators.")],
    url: Annotated[str, typer.Option(help="Address of the study.")] = "http://127.0.0.1:8000",
) -> None:
    """Make annotators and print their links, one per line: name, tab, link."""
    from ipvg_eval.leaderboard.study import new_annotators, open_study

    made = new_annotators(open_study(study), count)
    for annotator in made:
        STDOUT.out(f"{annotator.name}\t{url.rstrip('/')}/a/{annotator.token}")
    if len(made) < count:
        STDERR.print(f"Only {len(made)} sheets were free; everything has its annotators now.")


@app.command("invite")
def invite_command(
    study: _Folder,
    ids: Annotated[
        list[str], typer.Argument(metavar="ID...", help="Whom, by their ids on the platform; - reads stdin.")
    ],
    url: Annotated[str, typer.Option(help="Address of the study.")] = "http://127.0.0.1:8000",
) -> None:
    """Print a signed link per person, by which only that person joins: id, tab, link. Takes no sheet yet."""
    from ipvg_eval.leaderboard.study import invitation, open_study

    opened = open_study(study)
    if not opened.config.crowd:
        raise UsageError(
            "nobody can join this study",
            path=study,
            hint="Use `ipvg-eval study tokens`, or make the study with `crowd: true`.",
        )
    given = [word for text in ids for word in (sys.stdin.read().split() if text == "-" else [text])]
    links = [(pid, invitation(opened, pid)) for pid in given]
    for pid, link in links:
        STDOUT.out(f"{pid}\t{url.rstrip('/')}{link}")


@app.command("serve")
def serve_command(
    study: _Folder,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    url: Annotated[
        str | None, typer.Option(help="Address browsers know it by, where a proxy changes the host.")
    ] = None,
) -> None:
    """Show the study to its annotators. An answer is on the disk before the page moves on."""
    from ipvg_eval.leaderboard.study import open_study
    from ipvg_eval.leaderboard.study.serve import serve

    opened = open_study(study)
    if host not in _LOCAL:
        STDERR.print("Open to the network without encryption: put a proxy with HTTPS in front of it.")
    shown = f"[{host}]" if ":" in host else host
    STDERR.print(f"Serving {escape(opened.config.title)} on http://{shown}:{port}; stop with Ctrl-C.")
    serve(opened, host=host, port=port, origin=url)


@app.command("export")
def export_command(
    study: _Folder,
    out: Annotated[Path | None, typer.Option(help="CSV file; standard output if left out.")] = None,
    audit: Annotated[
        Path | None,
        typer.Option(help="Also write every vote: undone ones, attention checks and excluded annotators."),
    ] = None,
) -> None:
    """Write what counts as CSV.

    Of pairs: sample, team_a, team_b, winner, annotator, question, time. Of ratings: team, sample, annotator,
    aspect, score, scale, time, which `leaderboard --opinions` reads.
    """
    from ipvg_eval.leaderboard import study as studies

    opened = studies.open_study(study)
    ratings = opened.config.kind == "rating"
    for path in (out, audit):
        if path is not None and path.exists():
            raise UsageError("is already there", path=path, hint="Choose another file.")
    text = csv_text(studies.opinions_table(opened) if ratings else studies.votes_table(opened))
    if audit is not None:
        every = studies.ratings_audit(opened) if ratings else studies.audit_table(opened)
        audit.write_text(csv_text(every), encoding="utf-8")
    if out is None:
        STDOUT.out(text, end="")
    else:
        out.write_text(text, encoding="utf-8")


@app.command("status")
def status_command(study: _Folder) -> None:
    """Show coverage, agreement and how the annotators work."""
    from ipvg_eval.leaderboard.study import open_study, overview

    _print_status(overview(open_study(study)))


@app.command("release")
def release_command(
    study: _Folder,
    names: Annotated[list[str] | None, typer.Argument(metavar="[ANNOTATOR]...")] = None,
    idle_hours: Annotated[
        float | None, typer.Option(min=0, help="Everybody unfinished who did nothing for so long.")
    ] = None,
) -> None:
    """Give others what people who do not come back have left. Their votes stay, their links end."""
    from ipvg_eval.leaderboard.study import open_study, release

    if not names and idle_hours is None:
        raise UsageError("nobody is named", hint="Name annotators, or give --idle-hours.")
    for name in release(open_study(study), names=tuple(names or ()), idle_hours=idle_hours):
        STDOUT.out(name)


def _report(created: Created, config: StudyConfig) -> None:
    STDOUT.out(f"study\t{created.path}")
    STDOUT.out(f"admin page\t/admin/{created.admin_secret}")
    if config.crowd:
        STDOUT.out(f"join key\t{created.join_key}")
    tasks, most = config.shown.tasks, "at most " if config.adaptive else ""
    STDERR.print(
        f"{created.comparisons} {tasks}, {most}{created.showings} showings on {created.sheets} sheets.",
        highlight=False,
    )
    if config.adaptive:
        STDERR.print(f"Adaptive. {config.adaptive.words()}", highlight=False, soft_wrap=True)
        STDERR.print("Rank it with `study: {weighting: pair}` in the challenge file.", soft_wrap=True)
    _report_checks(created, config)
    if created.left_out:
        STDERR.print(f"[yellow]{len(created.left_out)} {tasks} are not shown:[/]")
        for item in created.left_out[:10]:
            verdict = f" (counts as won by {item.winner})" if item.winner else ""
            if config.kind == "rating" and config.missing == "loss":
                verdict = f" (counts as {config.scale.lowest})"
            teams = " and ".join(item.task.teams)
            STDERR.print(escape(f"  {item.task.sample}, {teams}: {item.reason}{verdict}"), soft_wrap=True)
        if len(created.left_out) > 10:
            STDERR.print(f"  and {len(created.left_out) - 10} more")
    STDERR.print("Keep the links above: they cannot be shown again.")


def _report_checks(created: Created, config: StudyConfig) -> None:
    """Say whom the exclusion rule hits, for the checks of the shortest sheet."""
    from ipvg_eval.leaderboard.study import simulated_exclusion

    corrupted, repeats = created.checks
    rates = simulated_exclusion(config, corrupted, repeats)
    always = "give the same point" if config.kind == "rating" else "click left"
    STDERR.print(
        f"{corrupted} corrupted copies and {repeats} {config.shown.repeated} a sheet. "
        f"{config.exclusion_rule} Simulated: {rates.honest:.1%} of honest people, {rates.random:.0%} of "
        f"those who click at random and {rates.one_sided:.0%} of those who always {always}.",
        highlight=False,
        soft_wrap=True,
    )
    if rates.random < 0.5:
        STDERR.print(
            "[yellow]Sheets this short hardly find careless people:[/] fewer annotators make longer sheets."
        )


def _print_status(seen: Overview) -> None:
    STDOUT.print(f"[bold]{escape(seen.title)}[/]: {seen.judged} of {seen.wanted} judgements, ", end="")
    STDOUT.print(f"{seen.taken} of {seen.sheets} sheets taken, {seen.votes} answers count.")
    tasks = seen.config.shown.tasks
    if seen.open and not seen.adaptive:
        STDOUT.print(f"{seen.open} {tasks} need another annotator: `ipvg-eval study tokens` makes links.")
    if seen.left_out:
        STDOUT.print(f"{seen.left_out} {tasks} are not shown: a video is missing.")
    if seen.adaptive:
        _print_progress(seen.adaptive)
    coverage = Table("Teams", "Judged", "Wanted")
    for part in seen.coverage:
        coverage.add_row(escape(" - ".join(part.teams)), str(part.judged), str(part.wanted))
    STDOUT.print(coverage)
    for question, agreement in seen.agreement.items():
        if agreement is None or agreement.alpha is None:
            reason = agreement.reason if agreement is not None else "no votes yet"
            STDOUT.print(f"Agreement, {question}: none ({reason})", markup=False)
        else:
            interval = "" if agreement.low is None else f" [{agreement.low:.2f}, {agreement.high:.2f}]"
            STDOUT.print(
                f"Agreement, {question}: alpha {agreement.alpha:.2f}{interval}", markup=False, end=""
            )
            STDOUT.print(f" on {agreement.units} {tasks}")
    rating = seen.config.kind == "rating"
    leaning = ("Mean", "Spread") if rating else ("Left %", "Draw %")
    people = Table("Annotator", "Steps", "Median s", *leaning, "Corrupted", "Repeats", "State")
    for person in seen.annotators:
        people.add_row(
            escape(person.name),
            f"{person.done}/{person.total}",
            _number(person.seconds),
            *(
                (_number(person.mean, 2), _number(person.spread, 2))
                if rating
                else (_percent(person.left_share), _percent(person.draw_share))
            ),
            f"{person.corrupted.failed}/{person.corrupted.answered}",
            f"{person.repeated.failed}/{person.repeated.answered}",
            "[red]excluded[/]" if person.excluded else "released" if person.released else "",
        )
    listing().print(people)
    STDOUT.print(escape(seen.rule), soft_wrap=True)


def _print_progress(seen: Progress) -> None:
    STDOUT.print(f"Adaptive. {seen.rule}", soft_wrap=True, highlight=False)
    for judgements, answer in seen.looks:
        found = " > ".join(answer) if len(answer) > 1 else f"{answer[0]} is first" if answer else "not known"
        STDOUT.print(f"After {judgements} judgements: {escape(found)}", soft_wrap=True)
    if seen.answer:
        STDOUT.print("The study has ended.")
    elif seen.next_look:
        STDOUT.print(f"{seen.judgements} judgements count; the next look is after {seen.next_look}.")


def _percent(share: float | None) -> str:
    return _number(None if share is None else 100 * share)


def _number(value: float | None, places: int = 0) -> str:
    return "-" if value is None else f"{value:.{places}f}"
