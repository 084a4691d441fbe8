"""The journal: one line per finished sample, on disk before the next sample starts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from ipvg_eval.core.bounded import LARGEST_JOURNAL, read_bounded
from ipvg_eval.core.row import SampleRow
from ipvg_eval.errors import RunError
from ipvg_eval.results.files import unreadable


class Journal:
    """Rows appended to a JSON Lines file.

    A later row of a sample replaces an earlier one. A process killed while writing leaves an
    unfinished last line; it is dropped, and the sample is measured again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, SampleRow]:
        """The last row of every sample, by sample id.

        Raises:
            RunError: a line before the last is damaged.
        """
        rows: dict[str, SampleRow] = {}
        for number, line in enumerate(self._complete_lines(), start=1):
            try:
                row = SampleRow.model_validate_json(line)
            except ValidationError as error:
                raise RunError(
                    f"line {number} is damaged ({error.error_count()} problems)",
                    path=self._path,
                    hint="Restore the file, or remove that line: only its sample is measured again.",
                ) from error
            rows[row.sample] = row
        return rows

    @contextmanager
    def appending(self) -> Iterator[JournalWriter]:
        """Open the journal for new rows; an unfinished last line is cut off first."""
        complete = sum(len(line) for line in self._complete_lines())
        with self._path.open("ab") as file:
            file.truncate(complete)
            yield JournalWriter(file)

    def _complete_lines(self) -> list[bytes]:
        try:
            lines = read_bounded(self._path, most=LARGEST_JOURNAL).splitlines(keepends=True)
        except FileNotFoundError:
            return []
        except ValueError as error:
            raise unreadable(self._path, error) from error
        return [line for line in lines if line.endswith(b"\n")]


class JournalWriter:
    """The writing end of a journal."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def append(self, row: SampleRow) -> None:
        """Add a row; when this returns it survives a crash of the machine.

        Raises:
            OSError: the disk is full, for example. Rows written before are intact.
        """
        self._file.write(row.model_dump_json(exclude_defaults=True).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
