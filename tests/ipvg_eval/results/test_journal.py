"""The journal keeps every row that was appended, whatever happens after."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipvg_eval.errors import RunError
from ipvg_eval.results.journal import Journal


def _append(journal, *rows):
    with journal.appending() as writer:
        for row in rows:
            writer.append(row)


def test_rows_come_back_as_they_were(tmp_path, make_row):
    rows = [make_row("id001/prompt1", 0.1 + 0.2), make_row("é/ü 1", None), make_row("3", 1e-300, note="flag")]
    journal = Journal(tmp_path / "journal.jsonl")
    _append(journal, *rows)
    assert journal.read() == {row.sample: row for row in rows}


def test_an_empty_journal_has_no_rows(tmp_path):
    assert Journal(tmp_path / "journal.jsonl").read() == {}


def test_a_later_row_replaces_an_earlier_one(tmp_path, make_row):
    journal = Journal(tmp_path / "journal.jsonl")
    _append(journal, make_row("a", 0.1), make_row("b", 0.2))
    _append(journal, make_row("a", 0.9))
    assert [row.measurements[0].value for row in journal.read().values()] == [0.9, 0.2]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_journal_cut_anywhere_keeps_its_complete_rows(tmp_path, make_row, data):
    rows = [make_row(f"id{i}/p", i / 7) for i in range(4)]
    path = tmp_path / "journal.jsonl"
    path.unlink(missing_ok=True)
    journal = Journal(path)
    _append(journal, *rows)
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    complete = whole[:cut].count(b"\n")
    assert list(journal.read().values()) == rows[:complete]
    _append(journal, *rows[complete:])
    assert path.read_bytes() == whole


def test_a_damaged_line_in_the_middle_is_an_error_that_names_it(tmp_path, make_row):
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    _append(journal, make_row("a", 0.1), make_row("b", 0.2))
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + b'{"sample": \n' + second)
    with pytest.raises(RunError, match=r"journal\.jsonl: line 2 is damaged"):
        journal.read()
