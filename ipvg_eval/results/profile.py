"""profile.csv: where the time of one scoring session went."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ipvg_eval.metrics.timing import Kind, Stopwatch
from ipvg_eval.results.files import write_text

FILE_NAME = "profile.csv"

_ORDER: tuple[Kind, ...] = ("wait", "detect", "network", "measure", "write", "rest")
_LABELS: dict[Kind, str] = {
    "wait": "wait for decoding",
    "detect": "detect",
    "network": "network",
    "measure": "rest of measuring",
    "write": "write",
    "rest": "rest",
}


@dataclass(frozen=True, kw_only=True)
class ProfileRow:
    """What one stage took.

    Attributes:
        stage: what was done, with the network's declared weight where there is one.
        kind: wait, detect, network, measure, write, rest; or beside, for work of other threads and
            processes that went on meanwhile.
        seconds: wall time.
        share: of the session; those of all stages but the ones beside add up to 1.
        calls: how often; for a network, forward passes.
    """

    stage: str
    kind: str
    seconds: float
    share: float
    calls: int


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Where the time of one scoring session went.

    Attributes:
        seconds: wall time of the session.
        rows: the stages, networks by falling time.
    """

    seconds: float
    rows: tuple[ProfileRow, ...]

    def share(self, kind: Kind) -> float:
        """Share of the session that stages of a kind took together."""
        return sum(row.share for row in self.rows if row.kind == kind)

    def to_dict(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            "seconds": self.seconds,
            "networks_share": self.share("network"),
            "detectors_share": self.share("detect"),
            "stages": [asdict(row) for row in self.rows],
        }


def make_profile(stopwatch: Stopwatch) -> Profile:
    """What a stopwatch counted."""
    total = stopwatch.total
    share = (lambda seconds: seconds / total) if total else (lambda seconds: 0.0)  # noqa: ARG005
    stages = sorted(
        stopwatch.spent.items(), key=lambda entry: (_ORDER.index(entry[0].kind), -entry[1].seconds)
    )
    rows = [
        ProfileRow(
            stage=f"{_LABELS[stage.kind]} {stage.name}".strip(),
            kind=stage.kind,
            seconds=spent.seconds,
            share=share(spent.seconds),
            calls=spent.calls,
        )
        for stage, spent in stages
    ]
    rows += [
        ProfileRow(
            stage=what, kind="beside", seconds=spent.seconds, share=share(spent.seconds), calls=spent.calls
        )
        for what, spent in sorted(stopwatch.beside.items())
    ]
    return Profile(seconds=total, rows=tuple(rows))


def write_profile(profile: Profile, folder: Path) -> None:
    """Write profile.csv into a run folder."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["stage", "kind", "seconds", "share", "calls"])
    for row in profile.rows:
        table.writerow([row.stage, row.kind, f"{row.seconds:.6f}", f"{row.share:.6f}", row.calls])
    write_text(folder / FILE_NAME, text.getvalue())
