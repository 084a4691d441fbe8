"""`ipvg-eval elo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ipvg_eval.cli.consoles import STDERR, STDOUT


def elo(
    votes: Annotated[Path, typer.Argument(help="CSV: sample,team_a,team_b,winner; winner is a, b or draw.")],
    identities: Annotated[
        Path | None,
        typer.Option(
            help="CSV: sample,identity. Intervals then resample identities, as votes on one face belong "
            "together; without it, samples."
        ),
    ] = None,
    question: Annotated[
        str | None, typer.Option(help="Which question to rate; needed where several were asked.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Rate teams from votes alone: points, Bradley-Terry, Elo and the ranks they leave open."""
    from ipvg_eval.cli import rankings
    from ipvg_eval.core.jsonable import jsonable
    from ipvg_eval.leaderboard import rate, read_votes
    from ipvg_eval.leaderboard.identities import read_identities

    read = read_votes(votes)
    names = read_identities(identities, samples=set(read.table["sample"])) if identities else None
    ratings = rate(read, question=question, identities=names)
    if as_json:
        STDOUT.out_json(jsonable(ratings))
        return
    STDOUT.print(rankings.ratings_table(ratings))
    STDOUT.print(rankings.wins_table(ratings))
    what = "identities" if names else "samples"
    STDOUT.print(rankings.method(ratings, resampled=what), markup=False, highlight=False, soft_wrap=True)
    rankings.print_warnings(ratings.warnings, STDERR)
    if names is None:
        STDERR.print("Prompts that share a face make intervals too narrow: name them with --identities.")
