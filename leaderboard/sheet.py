"""Reading CSV sheets that people made, with the line of everything that is wrong in them."""

from __future__ import annotations

import csv
import hashlib
import io
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ipvg_eval.core.suggest import listed
from ipvg_eval.leaderboard.errors import VotesError

_SEPARATORS = (",", ";", "\t")


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
    """Read a CSV file: UTF-8 with or without byte order mark, any line ends, columns in any order.

    Fields are separated by what the header has most of: commas, semicolons or tabs, as spreadsheets of
    different countries write them. Text is brought to the composed Unicode form (NFC).

    Args:
        path: the file.
        check_header: raises if the columns are not those that are needed.

    Raises:
        VotesError: the file cannot be read, is not UTF-8, is empty, or has a bad header.
    """
    try:
        content = Path(path).read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise VotesError(f"this file cannot be read ({error.strerror})", path=path) from error
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise VotesError(f"line {line}: not UTF-8 text", path=path, hint="Save it as CSV UTF-8.") from error
    text = unicodedata.normalize("NFC", text)
    head = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(_SEPARATORS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator)
    header: tuple[str, ...] = ()
    records: list[tuple[int, dict[str, str]]] = []
    problems: list[tuple[int, str]] = []
    begin = 1
    try:
        for cells in reader:
            line, begin = begin, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if not header:
                header = tuple(cell.strip().lower() for cell in cells)
                _check_names(header, path)
                check_header(header)
            elif len(cells) != len(header):
                problems.append((line, f"{len(cells)} fields, the header has {len(header)}"))
            else:
                trimmed = (cell.strip() for cell in cells)
                records.append((line, dict(zip(header, trimmed, strict=True))))
    except csv.Error as error:
        # The rest cannot be told apart into fields: a quotation mark may have swallowed it.
        problems.append((begin, f"not CSV ({error})"))
    if not header:
        raise VotesError("the file is empty", path=path, hint="Its first line names the columns.")
    return Sheet(
        path=str(path),
        sha256=hashlib.sha256(content).hexdigest(),
        header=header,
        records=tuple(records),
        problems=tuple(problems),
    )


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
