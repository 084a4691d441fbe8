from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.core.errors import UsageError
from ipvg_eval.leaderboard.errors import VotesError
from ipvg_eval.leaderboard.votes import read_votes, votes_from_table

WriteVotes = Callable[..., Path]
HEADER = "sample,team_a,team_b,winner"


def test_byte_order_mark_line_ends_column_order_and_case(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_bytes(
        b"\xef\xbb\xbfWinner, team_b,sample,team_a,annotator\r\n"
        b'A,"Team, B",s1,A,ann\r\n'
        b"\r\n"
        b" draw ,A,s1,C,ann\r\n"
    )
    votes = read_votes(path)
    assert len(votes) == 2
    assert votes.teams == ("A", "C", "Team, B")
    assert votes.questions == ("overall",)
    assert votes.table[["sample", "team_a", "team_b", "winner", "annotator", "line"]].to_dict("records") == [
        {"sample": "s1", "team_a": "A", "team_b": "Team, B", "winner": "a", "annotator": "ann", "line": 2},
        {"sample": "s1", "team_a": "C", "team_b": "A", "winner": "draw", "annotator": "ann", "line": 4},
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([HEADER, "s,A,B,a", "s,A"], "line 3: 2 fields, the header has 4"),
        ([HEADER, "s,A,B,a,x"], "line 2: 5 fields, the header has 4"),
        ([HEADER, "s,A,B,left"], "line 2: winner 'left' is not a, b or draw"),
        ([HEADER, "s,A,B,"], "line 2: no winner"),
        ([HEADER, ",A,B,a"], "line 2: no sample"),
        ([HEADER, "s,A,A,a"], "line 2: team 'A' against itself"),
        ([HEADER, "", "s,A,B,a", "", 's,"A,B,a'], "line 5: not CSV"),
        ([HEADER, '"s\nt",A,B,a', "s,A,B,x"], "line 4: winner 'x'"),
        ([HEADER], "there is no vote"),
        ([""], "the file is empty"),
        (["sample,team_a,team_b"], "line 1: there is no column 'winner'"),
        ([HEADER + ",anotator", "s,A,B,a,x"], "line 1: unknown column 'anotator'"),
        ([HEADER + ",winner"], "line 1: column 'winner' is there twice"),
        ([HEADER + ","], "line 1: column 5 has no name"),
    ],
)
def test_a_malformed_line_is_named(write_votes: WriteVotes, lines: list[str], message: str) -> None:
    path = write_votes(lines)
    before = path.read_bytes()
    with pytest.raises(VotesError, match=message) as caught:
        read_votes(path)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == before


def test_the_nearest_column_is_suggested(write_votes: WriteVotes) -> None:
    with pytest.raises(VotesError) as caught:
        read_votes(write_votes([HEADER + ",anotator", "s,A,B,a,x"]))
    assert caught.value.hint == "Did you mean 'annotator'?"


def test_all_bad_lines_come_in_order(write_votes: WriteVotes) -> None:
    lines = [HEADER, *(f"s{number},A,B,{'a' if number % 2 else 'x'}" for number in range(40)), "s"]
    with pytest.raises(VotesError) as caught:
        read_votes(write_votes(lines))
    text = str(caught.value).splitlines()
    assert text[0].endswith("21 bad lines:")
    assert text[1].strip().startswith("line 2:")
    assert text[2].strip().startswith("line 4:")
    assert text[-1].strip() == "and 11 more"


@pytest.mark.parametrize("second", ["s,A,B,b,x,", "s,B,A,a,x,", "s,A,B,a,x,overall"])
def test_a_duplicate_vote_names_both_lines(write_votes: WriteVotes, second: str) -> None:
    lines = [HEADER + ",annotator,question", "s,A,B,a,x,", "s,A,B,a,y,", second]
    with pytest.raises(VotesError, match=r"line 4: the same vote as line 2 .*annotator 'x'"):
        read_votes(write_votes(lines))


def test_votes_that_differ_in_one_key_are_no_duplicates(write_votes: WriteVotes) -> None:
    rows = ["s,A,B,a,x,q", "s,A,B,a,y,q", "s,A,B,a,x,r", "t,A,B,a,x,q", "s,A,C,a,x,q"]
    assert len(read_votes(write_votes([HEADER + ",annotator,question", *rows]))) == 5


def test_without_annotators_two_votes_on_a_pair_are_duplicates(write_votes: WriteVotes) -> None:
    with pytest.raises(VotesError, match=r"line 3: the same vote as line 2 .*no annotator") as caught:
        read_votes(write_votes([HEADER, "s,A,B,a", "s,B,A,a"]))
    assert "annotator" in (caught.value.hint or "")


def test_unknown_teams_and_samples_are_named(write_votes: WriteVotes) -> None:
    votes = read_votes(write_votes([HEADER, "s,Alpha,Beta,a", "s,Alpa,Gamma,a"]))
    votes.check(teams={"Alpha", "Beta", "Alpa", "Gamma"})
    with pytest.raises(VotesError, match="line 3: unknown team 'Alpa'") as caught:
        votes.check(teams={"Alpha", "Beta", "Gamma"})
    assert caught.value.hint == "Did you mean 'Alpha'?"
    with pytest.raises(VotesError, match="line 2: unknown sample 's'"):
        votes.check(teams=votes.teams, samples={"id001/prompt1"})


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_bytes(HEADER.encode() + b"\ns,caf\xe9,B,a\n")
    with pytest.raises(VotesError, match="line 2: not UTF-8"):
        read_votes(path)
    with pytest.raises(UsageError, match=r"none\.csv"):
        read_votes(tmp_path / "none.csv")


def test_a_table_is_checked_like_a_file() -> None:
    table = pd.DataFrame(
        {
            "sample": ["s", "t"],
            "team_a": ["A", "B"],
            "team_b": ["B", "A"],
            "winner": ["a", "draw"],
            "annotator": ["x", None],
        }
    )
    votes = votes_from_table(table, source="study")
    assert votes.table["annotator"].tolist() == ["x", ""]
    assert votes.table["line"].tolist() == [1, 2]
    with pytest.raises(VotesError, match=r"study: .*\n.*line 2: winner 'c'"):
        votes_from_table(table.assign(winner=["a", "c"]), source="study")
    with pytest.raises(VotesError, match="no column 'winner'"):
        votes_from_table(table.drop(columns="winner"), source="study")


@settings(deadline=None, max_examples=150)
@given(
    content=st.one_of(st.binary(max_size=80), st.text(alphabet='s,AB"\r\n ab', max_size=60).map(str.encode))
)
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(HEADER.encode() + b"\n" + content)
    with contextlib.suppress(VotesError):
        votes = read_votes(path)
        assert set(votes.table["winner"]) <= {"a", "b", "draw"}
        assert (votes.table["team_a"] != votes.table["team_b"]).all()


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_are_understood(write_votes: WriteVotes, separator: str) -> None:
    lines = [separator.join(line.split(",")) for line in (HEADER, "s,A,B,a", "t,B,A,draw")]
    assert read_votes(write_votes(lines)).table["winner"].tolist() == ["a", "draw"]


def test_names_that_look_the_same_are_the_same(write_votes: WriteVotes) -> None:
    composed, apart = "Z\u00fcrich", "Zu\u0308rich"
    votes = read_votes(write_votes([HEADER, f"s,{composed},B,a", f"t,{apart},B,b"]))
    assert votes.teams == ("B", composed)
