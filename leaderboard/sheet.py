"""Reading CSV sheets that people made, with the line of everything that is wrong in them."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ipvg_eval.core.errors import UsageError
from ipvg_eval.core.names import composed
from ipvg_eval.core.printable import from_csv_cell
from ipvg_eval.core.suggest import listed
from ipvg_eval.leaderboard.errors import VotesError

_SEPARATORS = (",", ";", "\t", "|")
_BLANK = string.whitespace + "\u00a0\u2007\u202f\u200b\ufeff"
_LONGEST = csv.field_size_limit()
_LONGEST_NAME = 100


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A CSV file with a header.

    Attributes:
        path: where it was read.
        sha256: hash of its bytes.
        header: column names, lower case, trimmed.
        records: (line number, cells), cells trimmed; blank lines are left out.
        problems: (line number, what is wrong with it).
    """

    path: str
    sha256: str
    header: tuple[str, ...]
    records: tuple[tuple[int, dict[str, str]], ...]
    problems: tuple[tuple[int, str], ...]


def read_sheet(path: Path | str, *, check_header: Callable[[Sequence[str]], None]) -> Sheet:
    """Read a CSV file as spreadsheets write it, in UTF-8, UTF-16 or UTF-32, with columns in any order.

    Fields end at commas, semicolons, tabs or bars, whichever splits the header; cells are trimmed and in
    composed form (NFC).

    Args:
        path: the file.
        check_header: raises if the columns are not those that are needed.

    Raises:
        UsageError: there is no such file, it is a folder, or it cannot be opened.
        VotesError: the file is no such text, is empty, or has a bad header.
    """
    content = _content(path)
    text = _text(content, path)
    separator, skipped = _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator)
    header: tuple[str, ...] = ()
    rows: list[tuple[int, list[str]]] = []
    problems: list[tuple[int, str]] = []
    begin = 1
    try:
        for raw in reader:
            line, begin = begin, reader.line_num + 1
            cells = [_cell(cell) for cell in raw]
            if line <= skipped or not any(cells):
                continue
            if not header:
                header = tuple(cell.lower() for cell in cells)
            else:
                rows.append((line, cells))
    except csv.Error as error:
        # The rest cannot be told apart into fields: a quotation mark may have swallowed it.
        found = f"not CSV ({error})"
        if "field limit" in str(error):
            found = f"a cell of more than {_LONGEST:,} characters; perhaps a quotation mark is not closed"
        problems.append((begin, found))
    if problems and not header:
        raise bad_lines(problems, path=str(path), hint="The first line names the columns.")
    if not header:
        raise VotesError("the file is empty", path=path, hint="Its first line names the columns.")
    header = _without_empty_columns(header, [cells for _, cells in rows])
    _check_sizes(header, path)
    check_header(header)
    _check_names(header, path)
    records: list[tuple[int, dict[str, str]]] = []
    for line, cells in rows:
        if len(cells) < len(header) or any(cells[len(header) :]):
            problems.append((line, f"{len(cells)} fields, the header has {len(header)}"))
        else:
            records.append((line, dict(zip(header, cells, strict=False))))
    return Sheet(
        path=str(path),
        sha256=hashlib.sha256(content).hexdigest(),
        header=header,
        records=tuple(records),
        problems=tuple(problems),
    )


def _content(path: Path | str) -> bytes:
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise UsageError("does not exist", path=path, hint="Check the path.") from None
    except IsADirectoryError:
        raise UsageError(
            "this is a folder", path=path, hint="Give the CSV file, or a study's folder."
        ) from None
    except OSError as error:
        hint = "Check the path and its permissions."
        raise UsageError(f"this file cannot be read ({error.strerror})", path=path, hint=hint) from error


def _text(content: bytes, path: Path | str) -> str:
    try:
        text = content.decode(_encoding(content))
        line = text[: text.index("\0")].count("\n") + 1 if "\0" in text else 0
    except UnicodeDecodeError as error:
        text, line = "", content[: error.start].count(b"\n") + 1
    if not line:
        return text
    found, hint = "not UTF-8 text, nor UTF-16 or UTF-32", "Save it as CSV UTF-8."
    if content.startswith(b"PK"):
        found = "a workbook, not text"
    elif content.startswith(b"SQLite format 3"):
        found, hint = "a study's database, not text", "`leaderboard` and `agree` read a study's folder."
    elif text:
        found = "a NUL character, which no text has"
    raise VotesError(f"line {line}: {found}", path=path, hint=hint)


def _encoding(content: bytes) -> str:
    """UTF-16 and UTF-32 have a byte order mark, or the same bytes of each of their first letters are 0."""
    start = content[:8]
    # Before UTF-16, as its mark is how that of UTF-32 begins.
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if len(start) == 8 and not any(start[1:4] + start[5:]):
        return "utf-32-le"
    if len(start) == 8 and not any(start[:3] + start[4:7]):
        return "utf-32-be"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if len(start) >= 4 and not any(start[1::2]):
        return "utf-16-le"
    if len(start) >= 4 and not any(start[::2]):
        return "utf-16-be"
    return "utf-8-sig"


def _separator(text: str) -> tuple[str, int]:
    """What ends a field, and how many lines lie before the header: one of Excel's says `sep=;`."""
    lines = text.splitlines()
    blank = next((number for number, line in enumerate(lines) if line.strip(_BLANK)), 0)
    lines = lines[blank:]
    if lines and (told := re.fullmatch(r'"?sep=(.)"?', lines[0].strip("\ufeff"), re.IGNORECASE)):
        return told[1], blank + 1
    header = lines[0] if lines else ""
    return max(_SEPARATORS, key=header.count), 0


def _cell(cell: str) -> str:
    return from_csv_cell(composed(cell.strip(_BLANK)))


def _without_empty_columns(header: tuple[str, ...], rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The header without nameless columns at its end, where the lines below have nothing in them either."""
    named = max((place for place, name in enumerate(header, start=1) if name), default=0)
    used = max(
        (place for cells in rows for place, cell in enumerate(cells[named:], start=named + 1) if cell),
        default=named,
    )
    return header[: max(named, used)] if rows else header


def bad_lines(problems: Sequence[tuple[int, str]], *, path: str, hint: str) -> VotesError:
    """The error for (line number, what is wrong with it), in the order of the lines."""
    lines = [f"line {line}: {problem}" for line, problem in sorted(problems)]
    return VotesError(
        f"{len(lines)} bad line{'s' if len(lines) > 1 else ''}:\n{listed(lines)}", path=path, hint=hint
    )


def _check_sizes(header: Sequence[str], path: Path | str) -> None:
    hint = "The first line names the columns."
    for place, name in enumerate(header, start=1):
        if not name:
            raise VotesError(f"line 1: column {place} has no name", path=path, hint=hint)
        if len(name) > _LONGEST_NAME:
            raise VotesError(
                f"line 1: the name of column {place} has {len(name):,} characters: {name[:20]!r}...",
                path=path,
                hint=hint,
            )


def _check_names(header: Sequence[str], path: Path | str) -> None:
    if twice := [name for name, count in Counter(header).items() if count > 1]:
        raise VotesError(
            f"line 1: column {twice[0]!r} is there twice", path=path, hint="Name each column once."
        )
