"""What an audit found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ipvg_eval.audit.thresholds import Thresholds

KINDS: Mapping[str, str] = {
    "still-video": "One picture, over and over",
    "nearly-still-video": "Hardly anything moves",
    "pasted-reference": "The face is the reference picture's",
    "looped-video": "The same frames come again",
    "reversed-loop": "The second half is the first one backwards",
    "repeated-video": "One video for several prompts",
    "shared-video": "One video in several submissions",
    "face-hidden": "The face is hidden for much of the video",
    "face-only-where-sampled": "The face shows in the frames that are measured, and hardly between them",
    "burned-in-text": "Text in the picture",
    "odd-length": "Longer or shorter than the submission's other videos",
    "odd-frame-rate": "Another frame rate than the submission's other videos",
    "shorter-than-timeline": "It ends before its timeline does",
    "names-another-team": "The file names another team",
    "names-a-tool": "The file names a tool or service",
    "not-looked-at": "It cannot be read",
}
"""Every kind of finding, in the order of a report, in words."""


@dataclass(frozen=True, kw_only=True)
class AuditFinding:
    """Something a person should look at. It disqualifies nobody.

    Attributes:
        kind: one of `KINDS`.
        team: whose submission.
        videos: the videos it concerns, "TEAM: PATH" where it concerns several submissions, else paths.
        message: what was measured, one sentence.
        numbers: the measured numbers by name.
        thresholds: the thresholds they were compared with, by name.
    """

    kind: str
    team: str
    videos: tuple[str, ...]
    message: str
    numbers: Mapping[str, float]
    thresholds: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class AuditReport:
    """The findings about one or more submissions.

    Attributes:
        teams: who was looked at, and how many videos of each.
        thresholds: what numbers were compared with.
        findings: in the order of `KINDS`.
        unchecked: what could not be checked, and why.
    """

    teams: Mapping[str, int]
    thresholds: Thresholds
    findings: tuple[AuditFinding, ...]
    unchecked: tuple[str, ...]

    def of_kind(self, kind: str) -> tuple[AuditFinding, ...]:
        """The findings of one kind."""
        return tuple(finding for finding in self.findings if finding.kind == kind)

    def of_team(self, team: str) -> tuple[AuditFinding, ...]:
        """The findings about one submission."""
        return tuple(finding for finding in self.findings if finding.team == team)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values for JSON."""
        return {
            "format": 1,
            "teams": dict(self.teams),
            "counts": {kind: len(found) for kind in KINDS if (found := self.of_kind(kind))},
            "findings": [asdict(finding) for finding in self.findings],
            "unchecked": list(self.unchecked),
            "thresholds": self.thresholds.model_dump(),
        }
