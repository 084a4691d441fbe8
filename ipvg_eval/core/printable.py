"""What every string from outside passes on its way to a person: terminal, HTML, LaTeX, CSV, JSON.

Control characters, line and direction marks, invisible characters and halves of surrogate pairs are shown as
escapes and never obeyed.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 200
_JOINERS = "\u200c\u200d"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_LOOK_ALIKES = str.maketrans(
    {
        "–": "-", "—": "-", "−": "-", "…": "...", "×": "x", "·": ".", "→": "->", "↑": "^", "↓": "v", "█": "#",
        "≥": ">=", "≤": "<=", "‘": "'", "’": "'", "“": '"', "”": '"', "\u00a0": " ",
    }
)  # fmt: skip
_LATEX = str.maketrans(
    {
        "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
        "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}",
        "<": r"\textless{}", ">": r"\textgreater{}", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "–": "--",
    }
)  # fmt: skip


def printable(text: str, *, longest: int | None = _SHOWN, keep: str = "") -> str:
    """The text with everything that is not seen as a character shown as an escape.

    Args:
        text: anything.
        longest: characters after which it is shortened; None for never.
        keep: characters that are left as they are, such as line feeds.
    """
    if not text.isprintable():
        text = "".join(_shown(text, place, keep) for place in range(len(text)))
    if longest is None or len(text) <= longest:
        return text
    return f"{text[:longest]}… ({len(text)} characters)"


def encodable(text: str, encoding: str) -> str:
    """The text as an encoding has it: look-alikes or escapes in place of characters that it does not know."""
    return text if _knows(encoding, text) else "".join(_encodable(one, encoding) for one in text)


def json_text(value: object, *, indent: int | None = None, encoding: str = "utf-8") -> str:
    """A value as JSON in which every character can be seen and encoded; numbers must be finite.

    Raises:
        ValueError: a number is not finite.
    """
    return json_escaped(json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False), encoding)


def json_escaped(text: str, encoding: str = "utf-8") -> str:
    r"""JSON text that says the same, with \u escapes for what cannot be seen or encoded."""
    if text.isascii() and "\x7f" not in text:
        return text
    return "".join(
        character if _plain(character, "\n") and _knows(encoding, character) else _json_escape(character)
        for character in text
    )


def csv_cell(text: str) -> str:
    """The text as a cell that no spreadsheet reads as a formula: what looks like one gets an apostrophe."""
    shown = printable(text, longest=None, keep="\n\t")
    return f"'{shown}" if shown.startswith(_FORMULA) else shown


def from_csv_cell(cell: str) -> str:
    """What `csv_cell` made a cell of, but for control characters."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


def csv_text(table: pd.DataFrame) -> str:
    """A table as CSV, without its index; floats keep every digit, a missing value is an empty cell."""
    import pandas as pd

    safe = table.copy()
    for name in table.columns:
        if not pd.api.types.is_numeric_dtype(table[name].dtype):
            cells = [csv_cell(cell) if isinstance(cell, str) else cell for cell in table[name]]
            safe[name] = pd.Series(cells, index=table.index, dtype=table[name].dtype)
    safe.columns = pd.Index([csv_cell(str(name)) for name in table.columns])
    return str(safe.to_csv(index=False, lineterminator="\n"))


def latex_text(text: str) -> str:
    """The text as LaTeX prints it, on one line."""
    return " ".join(printable(text, longest=None, keep="\n\t").split()).translate(_LATEX)


def latex_best(cells: Sequence[str], higher_is_better: bool | None) -> list[str]:
    r"""A column of a LaTeX table with its best number in bold and the second underlined.

    What prints alike is alike: several may be best, and several second. Nothing is marked where neither
    direction is better, or fewer than two cells are numbers.
    """
    numbers = {cell: value for cell in cells if (value := _finite(cell)) is not None}
    if higher_is_better is None or sum(cell in numbers for cell in cells) < 2:
        return list(cells)
    best, *rest = sorted(set(numbers.values()), reverse=higher_is_better)
    marks = {best: r"\textbf{%s}", **dict.fromkeys(rest[:1], r"\underline{%s}")}
    return [marks.get(numbers[cell], "%s") % cell if cell in numbers else cell for cell in cells]


def _finite(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def markdown_text(text: str) -> str:
    """The text as a cell of a Markdown table, on one line."""
    words = " ".join(printable(text, longest=None, keep="\n\t").split())
    return re.sub(r"([\\`*_\[\]|<>~&#!])", r"\\\1", words)


def _shown(text: str, place: int, keep: str) -> str:
    character = text[place]
    if _plain(character, keep) or (character in _JOINERS and _between_letters(text, place)):
        return character
    return character.encode("unicode_escape").decode("ascii")


def _plain(character: str, keep: str) -> bool:
    return character.isprintable() or character in keep or unicodedata.category(character) == "Zs"


def _between_letters(text: str, place: int) -> bool:
    """Joiners belong to scripts and emoji; anywhere else they only make two equal names differ."""
    around = text[max(0, place - 1) : place + 2]
    return len(around) == 3 and not around[0].isascii() and not around[2].isascii()


def _encodable(character: str, encoding: str) -> str:
    if _knows(encoding, character):
        return character
    likeness = character.translate(_LOOK_ALIKES)
    return likeness if likeness.isascii() else character.encode("unicode_escape").decode("ascii")


def _knows(encoding: str, text: str) -> bool:
    try:
        # There and back: Shift-JIS writes a yen sign as a backslash.
        return text.encode(encoding).decode(encoding) == text
    except UnicodeError:
        return False


def _json_escape(character: str) -> str:
    return json.dumps(character)[1:-1] if character != "\x7f" else "\\u007f"
