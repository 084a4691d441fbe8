"""Do a run's tables and summary follow from its rows?"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from pydantic import BaseModel

from ipvg_eval.core.bounded import LARGEST_TABLE, read_bounded, read_table
from ipvg_eval.core.intervals import INTERVAL_TITLE
from ipvg_eval.core.run_tables import out_of_range
from ipvg_eval.results.aggregate import aggregate, summarise_combinations
from ipvg_eval.results.files import unreadable
from ipvg_eval.results.reading import Run
from ipvg_eval.results.tables import frames_table, samples_table, write_csv

_ROUNDING = 1e-9
"""Sums of up to a million float64 terms of order 1, taken in another order, differ by less."""

_ENDS = {"low", "high", "identities"}


def inconsistencies(run: Run) -> tuple[str, ...]:
    """Names of the files that say something else than the journal's rows.

    Raises:
        RunError: a file of the run is damaged.
    """
    journal = run.folder.journal.read()
    order = [str(sample) for sample in run.samples["sample"]]
    if any(sample not in journal for sample in order):
        return ("samples.parquet",)
    rows = [journal[sample] for sample in order]
    info, path = run.info, run.folder.path
    specs = {spec.name: spec for spec in info.specs}
    measured = (m for row in rows for m in row.measurements)
    if any(m.name not in specs or out_of_range(m.value, specs[m.name]) for m in measured):
        return ("journal.jsonl",)
    samples = samples_table(rows, [spec.name for spec in info.specs], info.protocol.combined)
    different = []
    if not _table(path / "samples.parquet").equals(samples):
        different.append("samples.parquet")
    if _csv(samples) != _bytes(path / "samples.csv"):
        different.append("samples.csv")
    if not _table(path / "frames.parquet").equals(frames_table(rows)):
        different.append("frames.parquet")
    metrics = aggregate(rows, info.specs)
    combined = summarise_combinations(info.protocol.combined, metrics, rows)
    ends = set() if run.summary.intervals == INTERVAL_TITLE else _ENDS
    if not (_alike(run.summary.metrics, metrics, ends) and _alike(run.summary.combined, combined, ends)):
        different.append("summary.json")
    return tuple(different)


def _alike(recorded: Sequence[BaseModel], computed: Sequence[BaseModel], ends: set[str]) -> bool:
    """Whether two summaries say the same, but for what another processor's sums do to the last digits.

    Args:
        recorded: what the run says.
        computed: what follows from its rows.
        ends: fields left out, because a run of an earlier version has intervals of another kind.
    """
    one, other = ([part.model_dump(exclude=ends) for part in parts] for parts in (recorded, computed))
    return _same(one, other)


def _same(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=_ROUNDING, abs_tol=_ROUNDING)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other


def _table(path: Path) -> pa.Table:
    try:
        return read_table(path)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def _bytes(path: Path) -> bytes:
    try:
        return read_bounded(path, most=LARGEST_TABLE)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def _csv(table: pa.Table) -> bytes:
    with tempfile.TemporaryDirectory(prefix="ipvg-") as folder:
        path = Path(folder) / "samples.csv"
        write_csv(table, path)
        return path.read_bytes()
