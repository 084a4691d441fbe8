from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ipvg_eval.leaderboard import (
    Leaderboard,
    VotesError,
    build_leaderboard,
    parse_challenge,
    read_opinions,
    read_runs,
    read_votes,
)

MakeRun = Callable[..., Path]
WriteVotes = Callable[..., Path]


def final_ranks(board: Leaderboard, track: str = "facial") -> dict[str, int]:
    table = board.track(track).final.table
    return dict(zip(table["team"], table["rank"], strict=True))


def test_votes_that_do_not_fit_the_runs_are_refused(make_run: MakeRun, write_votes: WriteVotes) -> None:
    values = {"cur": [1.0, 2.0, 3.0, 4.0, 5.0]}
    runs = read_runs([make_run("Alpha", values), make_run("Beta", values)])
    header = "sample,team_a,team_b,winner,question"
    for line, message in [
        ("id001/prompt1,Alpha,Bta,a,", "line 2: unknown team 'Bta'"),
        ("id009/prompt1,Alpha,Beta,a,", "line 2: unknown sample 'id009/prompt1'"),
        (
            "id001/prompt1,Alpha,Beta,a,identity\nid001/prompt1,Alpha,Beta,a,quality",
            "'overall', which decides",
        ),
    ]:
        with pytest.raises(VotesError, match=message):
            build_leaderboard(runs, votes=read_votes(write_votes([header, line])))


def test_the_deciding_question_comes_first(make_run: MakeRun, write_votes: WriteVotes) -> None:
    values = {"cur": [1.0, 2.0, 3.0, 4.0, 5.0]}
    runs = read_runs([make_run("A", values), make_run("B", values)])
    lines = [
        "sample,team_a,team_b,winner,question",
        "id001/prompt1,A,B,a,identity",
        "id001/prompt1,A,B,b,overall",
    ]
    board = build_leaderboard(runs, votes=read_votes(write_votes(lines)))
    assert list(board.track("facial").ratings) == ["overall", "identity"]
    assert final_ranks(board) == {"B": 1, "A": 2}
    rules = parse_challenge("study: {question: identity}")
    board = build_leaderboard(runs, rules, votes=read_votes(write_votes(lines)))
    assert final_ranks(board) == {"A": 1, "B": 2}


def test_votes_on_teams_that_are_no_finalists_are_noted(make_run: MakeRun, write_votes: WriteVotes) -> None:
    runs = read_runs(
        [make_run(team, {"cur": [float(value)] * 5}) for team, value in zip("ABC", (3, 2, 1), strict=True)]
    )
    lines = [
        "sample,team_a,team_b,winner",
        "id001/prompt1,A,B,b",
        "id001/prompt1,A,C,a",
        "id001/prompt2,A,C,a",
    ]
    board = build_leaderboard(runs, parse_challenge("finalists: 2"), votes=read_votes(write_votes(lines)))
    assert final_ranks(board) == {"B": 1, "A": 2, "C": 3}
    assert "(C)" in board.track("facial").notices[0]


def test_opinions_can_decide(make_run: MakeRun, write_votes: WriteVotes) -> None:
    runs = read_runs([make_run(team, {"cur": [float(value)] * 5}) for team, value in (("A", 2), ("B", 1))])
    sheet = read_opinions(
        write_votes(["team,sample,identity,quality", "A,id001/prompt1,2,3", "B,id001/prompt1,5,4"])
    )
    rules = parse_challenge("final: {subjective: mos}")
    board = build_leaderboard(runs, rules, opinions=sheet)
    assert final_ranks(board) == {"B": 1, "A": 2}
    assert board.track("facial").final.table["judgement"].tolist() == [4.5, 2.5]
    json.loads(board.to_json())
    # Without being asked for, opinions are shown but study points decide.
    assert final_ranks(build_leaderboard(runs, opinions=sheet)) == {"A": 1, "B": 2}
