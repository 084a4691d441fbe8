"""What strangers write is seen by people and obeyed by nothing."""

from __future__ import annotations

import csv
import io
import json
import unicodedata

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ipvg_eval.core.printable import (
    csv_text,
    encodable,
    from_csv_cell,
    json_text,
    latex_best,
    latex_text,
    markdown_text,
    printable,
)

HOSTILE = "\x1b[2J\x9b31m\u202egnp.exe\u2066\u200b\ud800\r\x07\x00 \u2028=A&_#%${}~^\\|<b>é名👩\u200d🚀"
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
VALUES = st.recursive(
    ANY | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(ANY, inner)
)
ENCODINGS = ["utf-8", "latin-1", "cp1252", "ascii", "shift_jis", "gbk", "utf-16"]


def unseen(text: str, keep: str = "") -> list[str]:
    """The characters that a terminal obeys or does not show."""
    odd = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return [c for c in text if unicodedata.category(c) in odd and c not in keep + "\u200c\u200d"]


@settings(max_examples=300, deadline=None)
@given(ANY)
@example(HOSTILE)
def test_nothing_unseen_is_left(text: str) -> None:
    assert not unseen(printable(text, longest=None))
    assert not unseen(latex_text(text))
    assert not unseen(markdown_text(text))
    if text.isprintable():
        assert printable(text, longest=None) == text


def test_joiners_stay_in_scripts_and_emoji_and_are_shown_elsewhere() -> None:
    assert printable("👩\u200d🚀 می\u200cخواهم") == "👩\u200d🚀 می\u200cخواهم"
    assert printable("Al\u200dpha") == r"Al\u200dpha"
    assert printable("Alpha\u200d") == r"Alpha\u200d"


@settings(max_examples=300, deadline=None)
@given(VALUES)
@example({HOSTILE: [HOSTILE]})
def test_json_says_the_same_in_every_encoding(value: object) -> None:
    for encoding in ENCODINGS:
        text = json_text(value, encoding=encoding)
        assert json.loads(text.encode(encoding).decode(encoding)) == value
        assert not unseen(text)


@settings(max_examples=200, deadline=None)
@given(ANY, st.sampled_from(ENCODINGS))
@example("– ↑ █ ü 名", "latin-1")
def test_every_text_can_be_encoded(text: str, encoding: str) -> None:
    safe = encodable(printable(text, longest=None), encoding)
    assert safe.encode(encoding).decode(encoding) == safe
    if encoding == "utf-8":
        assert safe == printable(text, longest=None)


def test_look_alikes_stand_in_where_an_encoding_has_no_such_character() -> None:
    assert encodable("0.5 – 0.7 ↑ ü 名", "latin-1") == r"0.5 - 0.7 ^ ü \u540d"


@settings(max_examples=200, deadline=None)
@given(st.lists(ANY, min_size=1, max_size=4))
@example(["=HYPERLINK(1)", "+1", "-1", "@x"])
@example([HOSTILE, "\t=1", "'=1"])
def test_a_spreadsheet_reads_cells_and_no_formulas(cells: list[str]) -> None:
    table = pd.DataFrame({"name": pd.Series(cells, dtype=object), "value": [0.1] * len(cells)})
    (_, *rows) = csv.reader(io.StringIO(csv_text(table), newline=""))
    assert [row[1] for row in rows] == ["0.1"] * len(cells)
    for cell, (read, _) in zip(cells, rows, strict=True):
        assert not read.startswith(("=", "+", "-", "@", "\t", "\r"))
        assert not unseen(read, keep="\n\t")
        if cell.isprintable() and not cell.startswith("'"):
            assert from_csv_cell(read) == cell


@pytest.mark.parametrize("text", ["a\nb\\\\ c", "line\r\n& next", HOSTILE])
def test_latex_and_markdown_stay_on_their_line_and_in_their_cell(text: str) -> None:
    assert "\n" not in latex_text(text)
    assert "\n" not in markdown_text(text)
    rest = latex_text(text)
    for escaped in (r"\&", r"\_", r"\#", r"\%", r"\$", r"\{", r"\}"):
        rest = rest.replace(escaped, "")
    assert not set("&_#%$") & set(rest)
    assert all(piece.endswith("\\") for piece in markdown_text(text).split("|")[:-1])


@pytest.mark.parametrize(
    ("cells", "higher", "marked"),
    [
        (["0.1", "0.3", "0.2"], True, ["0.1", r"\textbf{0.3}", r"\underline{0.2}"]),
        (["0.1", "0.3", "0.2"], False, [r"\textbf{0.1}", "0.3", r"\underline{0.2}"]),
        (["1.0", "2.0"], None, ["1.0", "2.0"]),
        (["2.0", "2.0", "1.0"], True, [r"\textbf{2.0}", r"\textbf{2.0}", r"\underline{1.0}"]),
        (["2.0", "1.0", "1.0", "0.5"], True, [r"\textbf{2.0}", *[r"\underline{1.0}"] * 2, "0.5"]),
        (["2.0", "--", "missing", "nan"], True, ["2.0", "--", "missing", "nan"]),
        (["-2.0", "--", "-1.0"], True, [r"\underline{-2.0}", "--", r"\textbf{-1.0}"]),
        (["10.0", "9.0"], True, [r"\textbf{10.0}", r"\underline{9.0}"]),
        ([], True, []),
    ],
)
def test_the_best_of_a_column_is_bold_and_the_second_underlined(cells, higher, marked):
    assert latex_best(cells, higher) == marked
