"""Timelines of a test set: whether a prompt is one, and what is wrong with it."""

from __future__ import annotations

from ipvg_eval.core.timeline import Timeline, parse_timeline
from ipvg_eval.findings import Finding, Severity

_NO_TIMELINE = frozenset({"timeline-empty", "timeline-key-missing"})


def looks_like_timeline(text: str) -> bool:
    """Whether a prompt says when something happens ("0-2s: waves", "[0-2]", "00:01 to 00:03", JSON events).

    A timeline that is wrong (it ends before it begins) is one as well; "2-3 apples" is none.
    """
    timeline = parse_timeline(text)
    return bool(timeline.events) or any(p.code not in _NO_TIMELINE for p in timeline.problems)


def timeline_findings(timeline: Timeline, *, shown: str, sample: str, where: str = "") -> list[Finding]:
    """What is wrong with a sample's timeline.

    The sample stays: whatever does not need the events that were lost is still measured.

    Args:
        timeline: as it was read.
        shown: the file it stands in, as the user knows it.
        sample: the sample's id.
        where: where in the file, in front of the message.
    """
    return [
        Finding(
            code=problem.code,
            severity=Severity(problem.severity),
            path=shown,
            message=f"{where}{problem.message}",
            action=problem.action,
            sample=sample,
        )
        for problem in timeline.problems
    ]
