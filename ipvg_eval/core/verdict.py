"""Whether a metric's numbers can be trusted on the machine that measured them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Verdict(StrEnum):
    """What `ipvg-eval doctor` found about one metric."""

    REPRODUCES = "reproduces the published number"
    UNCHECKED = "runs, not checked against a published number"
    WRONG = "wrong, do not use"


def in_words(verdicts: Mapping[str, Verdict]) -> str:
    """Metrics by verdict in one line, the worst first; empty for no metric."""
    parts = []
    for verdict in (Verdict.WRONG, Verdict.UNCHECKED, Verdict.REPRODUCES):
        names = [name for name, found in verdicts.items() if found is verdict]
        if names:
            parts.append(f"{verdict.value}: {', '.join(names)}")
    return "; ".join(parts)
