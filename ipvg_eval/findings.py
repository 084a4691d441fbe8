"""Findings: what is wrong with a test set or a submission, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error disqualifies; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        code: stable kebab-case name of the kind of finding ("video-missing").
        severity: error or warning.
        path: the file it is about, as the user knows it (path inside the zip or the folder).
        message: what was found, one sentence.
        action: what to do about it, one sentence.
        sample: id of the sample it concerns, or None.
    """

    code: str
    severity: Severity
    path: str
    message: str
    action: str
    sample: str | None = None
