"""Votes as spreadsheets and people on other systems write them."""

from __future__ import annotations

import codecs
import csv
import io
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipvg_eval.core.printable import csv_text
from ipvg_eval.leaderboard.errors import VotesError
from ipvg_eval.leaderboard.identities import read_identities
from ipvg_eval.leaderboard.opinions import read_opinions
from ipvg_eval.leaderboard.votes import Votes, read_votes

ROWS = [
    ["sample", "team_a", "team_b", "winner"],
    ["s1", "Müller", "B, C; D\tE|F", "a"],
    ["s2", "名前", "Müller", "b"],
]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]


def written(
    path: Path, rows: list[list[str]], *, separator: str, encoding: str, line_end: str = "\n"
) -> Path:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator=line_end).writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def core(votes: Votes) -> list[tuple[str, ...]]:
    return list(votes.table[["sample", "team_a", "team_b", "winner"]].itertuples(index=False, name=None))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r"])
def test_every_separator_encoding_and_line_end_reads_alike(
    tmp_path: Path, separator: str, encoding: str, line_end: str
) -> None:
    path = written(tmp_path / "v.csv", ROWS, separator=separator, encoding=encoding, line_end=line_end)
    assert core(read_votes(path)) == [tuple(row) for row in ROWS[1:]]


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;"])
def test_the_line_that_names_the_separator_is_no_header(tmp_path: Path, first: str) -> None:
    path = tmp_path / "v.csv"
    path.write_text(f"{first}\nsample;team_a;team_b;winner\ns;A;B;a\n", encoding="utf-8-sig")
    votes = read_votes(path)
    assert core(votes) == [("s", "A", "B", "a")]
    assert votes.table["line"].tolist() == [3]


@pytest.mark.parametrize("encoding", ["cp1252", "cp850", "mac-roman", "cp500"])
def test_an_encoding_that_cannot_be_told_is_refused_with_its_line(tmp_path: Path, encoding: str) -> None:
    path = written(
        tmp_path / "v.csv", [ROWS[0], ["s1", "Müller", "B", "a"]], separator=",", encoding=encoding
    )
    with pytest.raises(VotesError, match=r"line [12]: not UTF-8 text, nor UTF-16 or UTF-32") as caught:
        read_votes(path)
    assert caught.value.hint == "Save it as CSV UTF-8."


@pytest.mark.parametrize("encoding", ["shift_jis", "gb18030", "euc-kr", "big5"])
def test_encodings_of_the_east_are_refused_likewise(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path / "v.csv", [ROWS[0], ["s1", "中文", "B", "a"]], separator=",", encoding=encoding)
    with pytest.raises(VotesError, match=r"line 2: not UTF-8 text"):
        read_votes(path)


@pytest.mark.parametrize("mark", [codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE])
def test_numbers_that_are_no_letters_are_refused(tmp_path: Path, mark: bytes) -> None:
    path = tmp_path / "v.csv"
    path.write_bytes(mark + b"\x7f" * 40)
    with pytest.raises(VotesError, match="not UTF-8 text, nor UTF-16 or UTF-32"):
        read_votes(path)


def test_empty_columns_and_lines_of_a_spreadsheet_say_nothing(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_text("sample;team_a;team_b;winner;;\ns;\u00a0A ;B;a;;\n;;;;;\n;;;;;\n")
    assert core(read_votes(path)) == [("s", "A", "B", "a")]


def test_a_value_beside_the_columns_is_still_an_error(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_text("sample,team_a,team_b,winner,\ns,A,B,a,x\n")
    with pytest.raises(VotesError, match="column 5 has no name"):
        read_votes(path)


def test_a_workbook_is_named(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_bytes(b"PK\x03\x04\x14\xff\xfe\x00\x81" * 9)
    with pytest.raises(VotesError, match="a workbook"):
        read_votes(path)


def test_composed_and_decomposed_names_are_one_team(tmp_path: Path) -> None:
    rows = [ROWS[0], ["s1", "Müller", "B", "a"], ["s2", unicodedata.normalize("NFD", "Müller"), "B", "a"]]
    votes = read_votes(written(tmp_path / "v.csv", rows, separator=",", encoding="utf-8"))
    assert votes.teams == ("B", "Müller")
    votes.check(teams={"B", "Müller"})


@pytest.mark.parametrize("space", ["\u00a0", "\u2009", "\u202f", "\u3000"])
def test_every_kind_of_space_in_a_team_s_name_is_one(tmp_path: Path, space: str) -> None:
    rows = [ROWS[0], ["s1", f"Team{space}A", "B", "a"], ["s2", "Team A", "B", "a"]]
    path = written(tmp_path / "v.csv", rows, separator=",", encoding="utf-8")
    votes = read_votes(path)
    assert votes.teams == ("B", "Team A")
    votes.check(teams={"B", "Team A"})
    opinions = [["team", "sample", "overall"], [f"Team{space}A", "s1", "4"], ["Team A", "s2", "3"]]
    sheet = read_opinions(written(tmp_path / "o.csv", opinions, separator=";", encoding="utf-16"))
    assert sheet.teams == ("Team A",)


@pytest.mark.parametrize("mark", ["\u200b", "\u200f", "\u2060", "\u00ad", "\ufeff"])
@pytest.mark.parametrize("place", [2, 4])
def test_teams_that_look_alike_are_named_with_what_cannot_be_seen(
    tmp_path: Path, mark: str, place: int
) -> None:
    other = "Team"[:place] + mark + "x"
    rows = [ROWS[0], ["s1", other, "B", "a"], ["s2", "Team"[:place] + "x", "B", "a"]]
    with pytest.raises(VotesError, match="invisible marks") as caught:
        read_votes(written(tmp_path / "v.csv", rows, separator=",", encoding="utf-8"))
    assert repr(other) in caught.value.message


HEAD = "sample,team_a,team_b,winner"
NO_SHEETS = {
    "a column's name without end": (
        f"{'s' * 200_000},{HEAD}\ns,A,B,a\n",
        "a cell of more than 131,072",
    ),
    "a long column": (f"{'s' * 5000},{HEAD}\ns,A,B,a\n", "column 1 has 5,000 characters"),
    "a cell without end": (f"{HEAD}\ns,{'A' * 1_000_000},B,a\n", "line 2: a cell of more than 131,072"),
    "a quotation mark that is not closed": (
        f'{HEAD}\ns,"A,B,a\n' + "s,A,B,a\n" * 20_000,
        "mark is not closed",
    ),
    "a long team": (f"{HEAD}\ns,{'A' * 5000},B,a\n", "line 2: team_a has 5,000 characters"),
    "NUL": (f"{HEAD}\ns,A\0,B,a\n", "line 2: a NUL character"),
    "nothing but NUL": ("\0" * 5000, "line 1: a NUL character"),
    "a study's database": ("SQLite format 3\0\x10\0", "a study's database, not text"),
    "no header": ("s1,A,B,a\ns2,A,B,a\n", "unknown column 's1'"),
    "a title above the header": (f"Votes,,,\n{HEAD}\n", "column 2 has no name"),
}


@pytest.mark.parametrize("case", NO_SHEETS)
def test_what_is_no_sheet_is_said_in_a_few_words(tmp_path: Path, case: str) -> None:
    content, says = NO_SHEETS[case]
    path = tmp_path / "v.csv"
    path.write_bytes(content.encode())
    with pytest.raises(VotesError) as caught:
        read_votes(path)
    assert says in caught.value.message
    assert caught.value.hint
    assert len(caught.value.message) < 300


def test_thousands_of_empty_columns_cost_no_more_than_their_bytes(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_text(f"{HEAD}{',' * 1_000_000}\ns,A,B,a\n")  # of which the square takes hours
    assert core(read_votes(path)) == [("s", "A", "B", "a")]


def test_lines_before_the_one_that_names_the_separator_say_nothing(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_text(f"\n  \nsep=;\n{HEAD.replace(',', ';')}\ns;A;B;a\n", encoding="utf-8-sig")
    assert core(read_votes(path)) == [("s", "A", "B", "a")]


def test_names_that_differ_by_case_alone_are_named(tmp_path: Path) -> None:
    rows = [ROWS[0], ["s1", "Alpha", "B", "a"], ["s2", "alpha", "B", "a"]]
    with pytest.raises(VotesError, match="'Alpha' and 'alpha'"):
        read_votes(written(tmp_path / "v.csv", rows, separator=",", encoding="utf-8"))


def test_identities_are_read_the_same_way(tmp_path: Path) -> None:
    rows = [["sample", "identity"], ["s1", "Jose\u0301"]]
    path = written(tmp_path / "i.csv", rows, separator=";", encoding="utf-16")
    assert read_identities(path, samples=["s1"]) == {"s1": "José"}


NAME = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=20)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(ENCODINGS))
def test_any_team_survives_the_way_through_a_spreadsheet(
    tmp_path: Path, data: st.DataObject, separator: str, encoding: str
) -> None:
    blank = " \u00a0\u2007\u202f"
    team = data.draw(NAME.filter(lambda name: name.strip(blank) == name and not name.startswith("'")))
    rows = [ROWS[0], ["s", team, "other team", "a"]]
    path = written(tmp_path / "v.csv", rows, separator=separator, encoding=encoding)
    votes = read_votes(path)
    shown = "".join(" " if one != " " and one.isspace() else one for one in team)
    assert votes.table["team_a"].tolist() == [unicodedata.normalize("NFC", shown)]
    (tmp_path / "again.csv").write_text(csv_text(votes.table[ROWS[0]]), "utf-8")
    assert core(read_votes(tmp_path / "again.csv")) == core(votes)
