"""audit.json in a run folder."""

from __future__ import annotations

from pathlib import Path

from ipvg_eval.audit.model import AuditReport
from ipvg_eval.core.audit_record import FILE_NAME, AuditRecord
from ipvg_eval.core.printable import json_text
from ipvg_eval.results.files import read_json, write_text
from ipvg_eval.results.reading import Run


def write_audit(report: AuditReport, run: Run) -> Path:
    """Write what was found about a run's team into its folder."""
    path = run.folder.path / FILE_NAME
    record = report.to_dict()
    record["findings"] = [f for f in record["findings"] if f["team"] == run.info.team]
    del record["counts"]
    write_text(path, json_text(record, indent=2) + "\n")
    return path


def read_audit(folder: Path) -> AuditRecord | None:
    """The audit in a run folder, or None.

    Raises:
        RunError: the file is damaged.
    """
    path = folder / FILE_NAME
    return read_json(path, AuditRecord.model_validate_json) if path.exists() else None
