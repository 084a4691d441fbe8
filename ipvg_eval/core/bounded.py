"""Reading files that strangers made: what is too large or of the wrong kind is refused, not tried."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

LARGEST_JSON = 64 * 2**20
LARGEST_JOURNAL = 2 * 2**30
LARGEST_TABLE = 2**30
MOST_ROWS = 20_000_000
_MOST_COLUMNS = 4096


class OutOfBounds(ValueError):
    """A file is larger than is taken, or of another kind than is expected there."""


@contextmanager
def open_regular(path: Path, *, most: int) -> Iterator[BinaryIO]:
    """Open a regular file of at most `most` bytes; a pipe or device in its place is not waited for.

    Raises:
        OSError: it cannot be opened.
        OutOfBounds: it is no regular file, or too large.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OutOfBounds("it is no regular file")
        if status.st_size > most:
            raise OutOfBounds(f"it has {status.st_size:,} bytes, at most {most:,} are taken")
        yield file


def read_bounded(path: Path, *, most: int = LARGEST_JSON) -> bytes:
    """The content of a regular file of at most `most` bytes. Raises as `open_regular`."""
    with open_regular(path, most=most) as file:
        return file.read(most)


def read_table(path: Path, *, most_rows: int = MOST_ROWS) -> pa.Table:
    """A Parquet file of flat columns, once its own metadata and its strings say that it will fit.

    Few bytes can stand for many rows of one repeated text, so rows are counted before anything is read and
    texts are read as a dictionary whose size in full is known before it is unfolded.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is no Parquet file, damaged, or out of bounds.
    """
    try:
        return _table(path, most_rows)
    except pa.ArrowException as error:  # of which some are IndexError, KeyError or NotImplementedError
        raise OutOfBounds(str(error).partition("\n")[0] or "it is damaged") from error


def _table(path: Path, most_rows: int) -> pa.Table:
    with open_regular(path, most=LARGEST_TABLE) as file:
        parquet = pq.ParquetFile(file)
        schema, metadata = parquet.schema_arrow, parquet.metadata
        groups = [metadata.row_group(k) for k in range(metadata.num_row_groups)]
        rows = max(metadata.num_rows, sum(group.num_rows for group in groups))
        size = sum(group.total_byte_size for group in groups)
        if rows > most_rows:
            raise OutOfBounds(f"it has {rows:,} rows, at most {most_rows:,} are expected")
        if metadata.num_columns > _MOST_COLUMNS or any(pa.types.is_nested(field.type) for field in schema):
            raise OutOfBounds("it has other columns than a table of a run")
        if size > LARGEST_TABLE:
            raise OutOfBounds(f"it unfolds to {size:,} bytes, at most {LARGEST_TABLE:,} are taken")
        texts = [field.name for field in schema if pa.types.is_string(field.type)]
        file.seek(0)
        table = pq.read_table(file, read_dictionary=texts)
    # Arrow believes what a file says: places in a dictionary that it does not have would be read, too.
    table.validate(full=True)
    unfolded = sum(_text_bytes(table.column(name)) for name in texts)
    if unfolded > LARGEST_TABLE:
        raise OutOfBounds(f"its texts unfold to {unfolded:,} bytes, at most {LARGEST_TABLE:,} are taken")
    return table.cast(schema)


def _text_bytes(column: pa.ChunkedArray) -> int:
    """Bytes of a column of texts once every row holds its own."""
    total = 0
    for chunk in column.chunks:
        if isinstance(chunk, pa.DictionaryArray):
            lengths = pc.binary_length(chunk.dictionary).cast(pa.int64())
            total += pc.sum(lengths.take(chunk.indices)).as_py() or 0
        else:
            total += chunk.nbytes
    return total
