"""samples.parquet, read and held against run.json: the same for every command that takes a foreign run."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
from pandas.api.types import is_float_dtype

from ipvg_eval.core.bounded import OutOfBounds, read_table
from ipvg_eval.core.run import RunInfo
from ipvg_eval.core.spec import MetricSpec

_TEXTS = ("sample", "identity", "status")
_LARGEST = 1e15
"""No metric has values beyond it; sums of larger ones would overflow."""


def read_samples(path: Path, info: RunInfo) -> pd.DataFrame:
    """One row per sample, as `results.tables.samples_table` writes it.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is damaged, or says something that cannot be: another number of rows than run.json
            counts, a sample twice or without a name, a value outside its metric's range.
    """
    expected = info.counts.samples - info.counts.pending
    table: pd.DataFrame = read_table(path, most_rows=max(expected, 0)).to_pandas()
    if absent := [column for column in (*_TEXTS, "reason") if column not in table]:
        raise OutOfBounds(f"it has no column {absent[0]!r}")
    if len(table) != expected:
        raise OutOfBounds(f"it has {len(table)} rows, run.json counts {expected} samples")
    if table[["sample", "identity"]].isna().any(axis=None):
        raise OutOfBounds("a sample or an identity has no name")
    if table["sample"].duplicated().any():
        twice = table.loc[table["sample"].duplicated(), "sample"].iloc[0]
        raise OutOfBounds(f"sample {twice!r} is there twice")
    for spec in info.metrics:
        if spec.name in table:
            _check_column(table[spec.name], spec)
    return table


def out_of_range(value: float | None, spec: MetricSpec) -> bool:
    """Whether a value cannot be this metric's; a missing one is never out of range."""
    if value is None:
        return False
    low, high = spec.bounds
    low, high = (-_LARGEST if low is None else low), (_LARGEST if high is None else high)
    # Bounds are of exact arithmetic; a cosine of float32 vectors may leave them by rounding.
    slack = 1e-4 * max(abs(low), abs(high), 1.0) if high - low < _LARGEST else 0.0
    return not (math.isfinite(value) and low - slack <= value <= high + slack)


def _check_column(column: pd.Series, spec: MetricSpec) -> None:
    if not is_float_dtype(column.dtype):
        raise OutOfBounds(f"column {spec.name!r} does not hold numbers")
    for value in column.dropna():
        if out_of_range(float(value), spec):
            raise OutOfBounds(f"its column {spec.name!r} holds {value:g}, which that metric cannot be")
