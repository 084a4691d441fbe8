"""What a validation found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ipvg_eval.findings import Finding, Severity
from ipvg_eval.submission import Kind
from ipvg_eval.testset import Track


@dataclass(frozen=True, kw_only=True)
class ValidationReport:
    """Every finding about one submission.

    Attributes:
        submission: its path.
        kind: folder or zip; None if it cannot be opened.
        track: the track it is checked for; None if nothing tells.
        shape: which videos are expected and where that is known from, one phrase.
        assumed: the shape is guessed from the submission itself, because no test set was given.
        expected: number of videos it owes.
        present: how many of those are there under their right names.
        checked: how many videos were opened, misnamed ones included.
        deep: every frame was decoded.
        findings: what is wrong with the submission, errors first, grouped by code.
        testset_findings: what is wrong with the test set; no fault of the submission.
    """

    submission: str
    kind: Kind | None
    track: Track | None
    shape: str
    assumed: bool
    expected: int
    present: int
    checked: int
    deep: bool
    findings: tuple[Finding, ...]
    testset_findings: tuple[Finding, ...] = ()

    @property
    def ok(self) -> bool:
        """No finding is an error."""
        return not self.errors

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that disqualify."""
        return tuple(f for f in self.findings if f.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that do not."""
        return tuple(f for f in self.findings if f.severity is Severity.WARNING)

    @property
    def groups(self) -> Mapping[str, tuple[Finding, ...]]:
        """The findings by code, in order."""
        grouped: dict[str, list[Finding]] = {}
        for finding in self.findings:
            grouped.setdefault(finding.code, []).append(finding)
        return {code: tuple(group) for code, group in grouped.items()}

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values for JSON, with the counts a script wants first."""
        return {
            "submission": self.submission,
            "ok": self.ok,
            "kind": self.kind,
            "track": self.track,
            "shape": self.shape,
            "shape_assumed": self.assumed,
            "deep": self.deep,
            "expected": self.expected,
            "present": self.present,
            "checked": self.checked,
            "errors": len(self.errors),
            "warnings": len(self.warnings),
            "counts": {code: len(group) for code, group in self.groups.items()},
            "findings": [asdict(finding) for finding in self.findings],
            "testset_findings": [asdict(finding) for finding in self.testset_findings],
        }
