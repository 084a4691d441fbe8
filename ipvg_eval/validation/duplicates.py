"""Videos that are byte for byte the same under different names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable

from ipvg_eval.core.printable import printable
from ipvg_eval.findings import Finding, Severity
from ipvg_eval.submission import MemberError, Submission

_NAMED = 5


def check_duplicates(submission: Submission, names: Iterable[str]) -> list[Finding]:
    """One warning per group of equal files. Only files that may be equal are read.

    Args:
        submission: where they are.
        names: paths of the videos to compare.
    """
    findings: list[Finding] = []
    alike: dict[Hashable, list[str]] = defaultdict(list)
    for name in names:
        if submission.files[name] > 0:
            alike[submission.content_hint(name)].append(name)
    for candidates in alike.values():
        if len(candidates) == 1:
            continue
        equal: dict[str, list[str]] = defaultdict(list)
        for name in candidates:
            if (digest := _digest(submission, name)) is not None:
                equal[digest].append(name)
        findings.extend(_finding(group) for group in equal.values() if len(group) > 1)
    return findings


def _digest(submission: Submission, name: str) -> str | None:
    try:
        return submission.sha256(name)
    except MemberError:
        return None  # damaged files have findings of their own


def _finding(group: list[str]) -> Finding:
    first, *others = (printable(name) for name in group)
    more = f" and {len(others) - _NAMED:,} more" if len(others) > _NAMED else ""
    return Finding(
        code="video-identical",
        severity=Severity.WARNING,
        path=first,
        message=f"The same file is also {', '.join(others[:_NAMED])}{more}.",
        action="Check that every video was made for its own prompt.",
    )
