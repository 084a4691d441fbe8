"""Rows as tables: one row per sample, and one per sample, metric and frame."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ipvg_eval.core.combination import Combination, combine
from ipvg_eval.core.printable import csv_text
from ipvg_eval.core.row import SampleRow
from ipvg_eval.results.files import replacing

_SAMPLE_COLUMNS = {
    "sample": pa.string(),
    "identity": pa.string(),
    "video": pa.string(),
    "status": pa.string(),
    "reason": pa.string(),
    "damage": pa.string(),
    "note": pa.string(),
    "video_sha256": pa.string(),
    "frame_count": pa.int64(),
    "width": pa.int64(),
    "height": pa.int64(),
    "fps": pa.float64(),
    "duration": pa.float64(),
    "codec": pa.string(),
}
_FRAME_COLUMNS = {
    "sample": pa.string(),
    "metric": pa.string(),
    "frame": pa.int64(),
    "time": pa.float64(),
    "value": pa.float64(),
}
BOX_COLUMNS = ("left", "top", "right", "bottom")


def samples_table(
    rows: Iterable[SampleRow], metrics: Sequence[str], combined: Sequence[Combination] = ()
) -> pa.Table:
    """One row per sample: facts, one float column per metric and weighted sum, then remarks.

    `missing` and `notes` are JSON objects from metric to text, null where there is nothing to say. There is a
    column `timeline` where any sample has one.
    """
    rows = list(rows)
    timeline = {"timeline": pa.string()} if any(row.timeline is not None for row in rows) else {}
    schema = pa.schema(
        {
            **_SAMPLE_COLUMNS,
            **timeline,
            **dict.fromkeys([*metrics, *(c.name for c in combined)], pa.float64()),
            "missing": pa.string(),
            "notes": pa.string(),
        }
    )
    return pa.Table.from_pylist([_sample_record(row, combined) for row in rows], schema=schema)


def frames_table(rows: Iterable[SampleRow]) -> pa.Table:
    """One row per sample, metric and frame; time in seconds, value null where the frame has none.

    Where any measurement is of faces there are columns `left`, `top`, `right`, `bottom`: shares of the frame.
    """
    rows = list(rows)
    boxed = any(measurement.frame_boxes for row in rows for measurement in row.measurements)
    schema = pa.schema({**_FRAME_COLUMNS, **dict.fromkeys(BOX_COLUMNS if boxed else (), pa.float64())})
    records = [
        {
            "sample": row.sample,
            "metric": measurement.name,
            "frame": index,
            "time": row.frame_times.get(index),
            "value": value,
            **dict(zip(BOX_COLUMNS, box or (), strict=False)),
        }
        for row in rows
        for measurement in row.measurements
        for index, value, box in zip_longest(
            measurement.frame_indices, measurement.frame_values, measurement.frame_boxes
        )
    ]
    return pa.Table.from_pylist(records, schema=schema)


def timings_table(rows: Iterable[SampleRow]) -> pa.Table:
    """One row per sample: the seconds that measuring it took."""
    rows = list(rows)
    return pa.table(
        {
            "sample": pa.array([row.sample for row in rows], pa.string()),
            "seconds": pa.array([round(row.seconds, 3) for row in rows], pa.float64()),
        }
    )


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write a table; equal tables give equal bytes."""
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def write_csv(table: pa.Table, path: Path) -> None:
    """Write a table as CSV; floats keep every digit, a missing value is an empty cell."""
    with replacing(path) as temporary:
        temporary.write_text(csv_text(table.to_pandas(types_mapper=pd.ArrowDtype)), "utf-8", newline="")


def _sample_record(row: SampleRow, combined: Sequence[Combination]) -> dict[str, object]:
    facts = row.facts.model_dump() if row.facts else {}
    missing = {m.name: m.reason for m in row.measurements if m.reason}
    values = {m.name: m.value for m in row.measurements}
    for combination in combined:
        total = combine(combination, values)
        values = {**values, combination.name: total.value}
        if total.reason:
            missing[combination.name] = total.reason
    notes = {m.name: m.note for m in row.measurements if m.note}
    return {
        **row.model_dump(
            include={"sample", "identity", "video", "reason", "damage", "note", "timeline", "video_sha256"}
        ),
        **facts,
        "status": row.status.value,
        **values,
        "missing": json.dumps(missing, ensure_ascii=False) if missing else None,
        "notes": json.dumps(notes, ensure_ascii=False) if notes else None,
    }
