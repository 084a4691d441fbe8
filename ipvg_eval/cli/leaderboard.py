"""`ipvg-eval leaderboard`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.markup import escape

from ipvg_eval.cli.consoles import STDERR, STDOUT
from ipvg_eval.core.errors import ExitCode, UsageError
from ipvg_eval.core.suggest import listed

if TYPE_CHECKING:
    from ipvg_eval.leaderboard import Leaderboard, OpinionSheet, Votes
    from ipvg_eval.leaderboard.challenge import Challenge
    from ipvg_eval.results.screening import Refused

_Sheet = TypeVar("_Sheet")


class _RunPictures:
    """Where `score` puts the pictures of a run."""

    def thumbnail(self, run: Path, sample: str) -> Path:
        from ipvg_eval.results.folder import RunFolder

        return RunFolder(run).thumbnail(sample)

    def reference(self, run: Path, identity: str) -> Path:
        from ipvg_eval.results.folder import RunFolder

        return RunFolder(run).reference(identity)


def leaderboard(
    runs: Annotated[list[Path], typer.Argument(help="Run folders, as `score` wrote them.")],
    config: Annotated[
        Path | None, typer.Option(help="challenge.yaml; the published rules of 2025 if left out.")
    ] = None,
    votes: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[TRACK=]FILE",
            help="Votes of the user study: study.db, or CSV with sample,team_a,team_b,winner. "
            "With several tracks, once per track.",
        ),
    ] = None,
    opinions: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[TRACK=]FILE",
            help="Opinion scores: study.db of a rating study, or CSV with team,sample and aspects.",
        ),
    ] = None,
    unofficial: Annotated[
        bool, typer.Option("--unofficial", help="Let in unofficial protocols and random weights; marked.")
    ] = False,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="Rank only runs whose files are as their checksums say, signed where challenge.yaml "
            "names a public_key.",
        ),
    ] = False,
    public: Annotated[
        bool, typer.Option("--public", help="Leave samples, prompts, pictures and votes out of the files.")
    ] = False,
    out: Annotated[Path, typer.Option(help="The site's folder; an earlier site there is replaced.")] = Path(
        "site"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print the leaderboard as JSON.")] = False,
) -> None:
    """Rank scored runs, with the votes of a user study, and write the ranking as a static site.

    A run that is damaged, unfinished or not what follows from its own rows is left out by name; the exit code
    is then 4.
    """
    from ipvg_eval.leaderboard import build_leaderboard, read_challenge, read_runs
    from ipvg_eval.leaderboard.site import leaderboard_dict, write_site
    from ipvg_eval.results.provenance import tool_version

    challenge = read_challenge(config) if config else None
    fit, refused = _screened(runs, strict, _public_key(challenge, config))
    board = build_leaderboard(
        read_runs(fit),
        challenge,
        votes=_by_track(votes, "--votes", read_any_votes),
        opinions=_by_track(opinions, "--opinions", read_any_opinions),
        unofficial=unofficial,
    )
    left_out = (f"Left out: the run in folder {run.path.name}: {run.reason}." for run in refused)
    board = replace(board, notices=(*board.notices, *left_out))
    tool = f"ipvg-eval {tool_version()}"
    page = write_site(board, out, public=public, media=_RunPictures(), tool=tool)
    if as_json:
        content = {"page": str(page), **leaderboard_dict(board, public=public)}
        STDOUT.out_json(content)
    else:
        _print(board)
        STDOUT.print("Page: ", end="")
        STDOUT.out(str(page))
        if not public:
            STDERR.print("This site names hidden samples; publish one that was made with --public.")
    if refused:
        raise typer.Exit(ExitCode.SOME_FAILED)


def _screened(
    runs: list[Path], strict: bool, public_key: Path | None
) -> tuple[tuple[Path, ...], tuple[Refused, ...]]:
    from ipvg_eval.core.run_folder import check_run_folder
    from ipvg_eval.errors import RunError
    from ipvg_eval.results.screening import screen

    for path in runs:
        check_run_folder(path)
    fit, refused = screen(runs, strict=strict, public_key=public_key)
    for run in refused:
        STDERR.print(f"[bold red]left out:[/] {escape(str(run.path))}: {escape(run.reason)}", soft_wrap=True)
    if not fit:
        reasons = [f"{run.path}: {run.reason}" for run in refused]
        raise RunError(
            "none of these runs can be ranked:\n" + listed(reasons),
            hint="`ipvg-eval verify RUN` says more about one of them.",
        )
    return fit, refused


def _public_key(challenge: Challenge | None, config: Path | None) -> Path | None:
    if challenge is None or challenge.public_key is None or config is None:
        return None
    return config.parent / challenge.public_key


def read_any_votes(path: Path) -> Votes:
    """Votes from CSV, or from the database of a study."""
    from ipvg_eval.leaderboard import read_votes

    if not _is_study(path):
        return read_votes(path)
    from ipvg_eval.leaderboard.study import study_votes

    return study_votes(path)


def read_any_opinions(path: Path) -> OpinionSheet:
    """Opinion scores from CSV, or from the database of a rating study."""
    from ipvg_eval.leaderboard import read_opinions

    if not _is_study(path):
        return read_opinions(path)
    from ipvg_eval.leaderboard.study import study_opinions

    return study_opinions(path)


def _is_study(path: Path) -> bool:
    return path.suffix != ".csv" and (path.is_dir() or path.suffix == ".db")


def _by_track(
    given: list[str] | None, option: str, read: Callable[[Path], _Sheet]
) -> _Sheet | dict[str, _Sheet] | None:
    """One file for the only track, or TRACK=FILE for each of several."""
    if not given:
        return None
    if len(given) == 1 and ("=" not in given[0] or Path(given[0]).exists()):
        return read(Path(given[0]))
    files: dict[str, Path] = {}
    for text in given:
        track, found, path = text.partition("=")
        if not (track and found and path) or track in files:
            raise UsageError(
                f"{option} {text} does not name a track of its own",
                hint=f"With several files, write {option} facial=FILE {option} sequential=FILE.",
            )
        files[track] = Path(path)
    return {track: read(path) for track, path in files.items()}


def _print(board: Leaderboard) -> None:
    from ipvg_eval.cli import rankings

    for track in board.tracks:
        STDOUT.print(rankings.final_table(track))
        STDOUT.print(track.rank_rule, markup=False, highlight=False)
        STDOUT.print(" ".join(track.decided.words), markup=False, highlight=False)
        for question, ratings in track.ratings.items():
            rankings.print_warnings(ratings.warnings, STDERR, question)
    for notice in dict.fromkeys(
        (*board.notices, *(line for track in board.tracks for line in track.notices))
    ):
        STDERR.print(f"[yellow]{escape(notice)}[/]", soft_wrap=True)
