"""An audit for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from ipvg_eval.audit.model import KINDS, AuditFinding, AuditReport

_SHOWN = 10


def render(report: AuditReport, console: Console) -> None:
    """Print who was looked at, the findings kind by kind, and what was not checked.

    Long groups are cut after ten entries; `AuditReport.to_dict` has all of them.
    """
    for team, videos in report.teams.items():
        console.print(Text.assemble((team, "bold"), f": {videos:,} videos looked at"))
    console.print()
    several = len(report.teams) > 1
    for kind, title in KINDS.items():
        if found := report.of_kind(kind):
            _print_group(kind, title, found, console, several=several)
    for note in report.unchecked:
        console.print(Text.assemble(("not checked ", "yellow"), note), soft_wrap=True)
    console.print(_verdict(len(report.findings)))


def _print_group(
    kind: str, title: str, found: Sequence[AuditFinding], console: Console, *, several: bool
) -> None:
    console.print(Text.assemble((kind, "bold yellow"), f" ({len(found):,}): {title}."))
    for finding in found[:_SHOWN]:
        whose = f"{finding.team}: " if several else ""
        where = Text.assemble((whose, "bold"), (finding.videos[0], "cyan"), f": {finding.message}")
        console.print(Padding(where, (0, 0, 0, 4), expand=False))
    if (rest := len(found) - _SHOWN) > 0:
        more = Text(f"and {rest:,} more (--json lists all)", "dim")
        console.print(Padding(more, (0, 0, 0, 4), expand=False))
    used = found[0].thresholds
    if used:
        text = Text("thresholds: " + ", ".join(f"{name} {value:g}" for name, value in used.items()), "dim")
        console.print(Padding(text, (0, 0, 0, 4), expand=False))
    console.print()


def _verdict(count: int) -> Text:
    if count == 0:
        return Text("Nothing to look at.", "bold green")
    noun = "finding" if count == 1 else "findings"
    return Text.assemble(
        (f"{count:,} {noun} to look at.", "bold yellow"),
        " A finding is a question, not a verdict: nobody is disqualified by it.",
    )
