"""audit.json in a run folder: what an audit found about the run's team."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

FILE_NAME = "audit.json"


class AuditEntry(BaseModel):
    """A finding as it stands in the file; see `AuditFinding`."""

    model_config = ConfigDict(frozen=True)

    kind: str
    team: str
    videos: tuple[str, ...]
    message: str
    numbers: dict[str, float]
    thresholds: dict[str, float]


class AuditRecord(BaseModel):
    """The content of audit.json; see `AuditReport`."""

    model_config = ConfigDict(frozen=True)

    teams: dict[str, int]
    findings: tuple[AuditEntry, ...]
    unchecked: tuple[str, ...]
    thresholds: dict[str, float]
