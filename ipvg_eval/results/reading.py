"""Reading a run back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ipvg_eval.core.bounded import read_table
from ipvg_eval.core.run import RunInfo
from ipvg_eval.core.run_folder import check_run_folder
from ipvg_eval.core.run_tables import read_samples
from ipvg_eval.core.summary import Summary
from ipvg_eval.findings import Finding
from ipvg_eval.results.files import read_json, unreadable
from ipvg_eval.results.folder import FINDINGS, RunFolder


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run read back.

    Attributes:
        folder: its folder.
        info: run.json.
        summary: summary.json.
        samples: one row per sample, in the test set's order (see `tables.samples_table`).
        frames: one row per sample, metric and frame (see `tables.frames_table`).
        findings: what validation found before the run.
    """

    folder: RunFolder
    info: RunInfo
    summary: Summary
    samples: pd.DataFrame
    frames: pd.DataFrame
    findings: tuple[Finding, ...]


def load_run(path: Path | str) -> Run:
    """Read a run folder.

    Raises:
        NotARun: the folder is no run.
        RunError: a file of it is missing or damaged.
    """
    folder = RunFolder(Path(path))
    check_run_folder(folder.path)
    info = folder.read_info()
    return Run(
        folder=folder,
        info=info,
        summary=read_json(folder.path / "summary.json", Summary.model_validate_json),
        samples=_read(folder.path / "samples.parquet", lambda path: read_samples(path, info)),
        frames=_read(folder.path / "frames.parquet", lambda path: read_table(path).to_pandas()),
        findings=read_json(folder.path / "findings.json", FINDINGS.validate_json),
    )


def _read(path: Path, read: Callable[[Path], pd.DataFrame]) -> pd.DataFrame:
    try:
        return read(path)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error
