"""Do a run's tables and summary follow from its rows?"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ipvg_eval.core.intervals import INTERVAL_TITLE
from ipvg_eval.core.summary import CombinedSummary, MetricSummary, Summary
from ipvg_eval.results.aggregate import aggregate, summarise_combinations
from ipvg_eval.results.files import unreadable
from ipvg_eval.results.reading import Run
from ipvg_eval.results.tables import frames_table, samples_table, write_csv


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
    samples = samples_table(rows, [spec.name for spec in info.specs], info.protocol.combined)
    different = []
    if not _table(path / "samples.parquet").equals(samples):
        different.append("samples.parquet")
    if _csv(samples) != (path / "samples.csv").read_bytes():
        different.append("samples.csv")
    if not _table(path / "frames.parquet").equals(frames_table(rows)):
        different.append("frames.parquet")
    metrics = aggregate(rows, info.specs)
    combined = summarise_combinations(info.protocol.combined, metrics, rows)
    if _points(run.summary, run.summary.metrics) != _points(run.summary, metrics) or _points(
        run.summary, run.summary.combined
    ) != _points(run.summary, combined):
        different.append("summary.json")
    return tuple(different)


def _points(
    summary: Summary, rows: Sequence[MetricSummary | CombinedSummary]
) -> list[MetricSummary | CombinedSummary]:
    """What follows from the rows: of a run whose intervals are of another kind, all but their ends."""
    if summary.intervals == INTERVAL_TITLE:
        return list(rows)
    unknown = {"low": None, "high": None, "identities": None}
    return [row.model_copy(update={k: v for k, v in unknown.items() if hasattr(row, k)}) for row in rows]


def _table(path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, error) from error


def _csv(table: pa.Table) -> bytes:
    with tempfile.TemporaryDirectory(prefix="ipvg-") as folder:
        path = Path(folder) / "samples.csv"
        write_csv(table, path)
        return path.read_bytes()
