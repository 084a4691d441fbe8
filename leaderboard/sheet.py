"""Reading CSV sheets that people made, with the line of everything that is wrong in them."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
import string
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
        UsageError: there is no such file, or it is a folder.
        VotesError: the file cannot be read, is no such text, is empty, or has a bad header.
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
        problems.append((begin, f"not CSV ({error})"))
    if not header:
        raise VotesError("the file is empty", path=path, hint="Its first line names the columns.")
    header = _without_empty_columns(header, [cells for _, cells in rows])
    _check_names(header, path)
    check_header(header)
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
        hint = "Check the file and its permissions."
        raise VotesError(f"this file cannot be read ({error.strerror})", path=path, hint=hint) from error


def _text(content: bytes, path: Path | str) -> str:
    try:
        return content.decode(_encoding(content))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        found = (
            "a workbook, not text" if content.startswith(b"PK") else "not UTF-8 text, nor UTF-16 or UTF-32"
        )
        raise VotesError(f"line {line}: {found}", path=path, hint="Save it as CSV UTF-8.") from error


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
    if lines and (told := re.fullmatch(r'"?sep=(.)"?', lines[0].strip("\ufeff"), re.IGNORECASE)):
        return told[1], 1
    header = next((line for line in lines if line.strip()), "")
    return max(_SEPARATORS, key=header.count), 0


def _cell(cell: str) -> str:
    return from_csv_cell(composed(cell.strip(_BLANK)))


def _without_empty_columns(header: tuple[str, ...], rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The header without nameless columns at its end, where the lines below have nothing in them either."""
    while rows and header and not header[-1] and not any(any(cells[len(header) - 1 :]) for cells in rows):
        header = header[:-1]
    return header


def bad_lines(problems: Sequence[tuple[int, str]], *, path: str, hint: str) -> VotesError:
    """The error for (line number, what is wrong with it), in the order of the lines."""
    lines = [f"line {line}: {problem}" for line, problem in sorted(problems)]
    return VotesError(
        f"{len(lines)} bad line{'s' if len(lines) > 1 else ''}:\n{listed(lines)}", path=path, hint=hint
    )


def _check_names(header: Sequence[str], path: Path | str) -> None:
    for place, name in enumerate(header):
        if not name:
            raise VotesError(f"line 1: column {place + 1} has no name", path=path)
        if name in header[:place]:
            raise VotesError(f"line 1: column {name!r} is there twice", path=path)
