"""A validation report for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from ipvg_eval.findings import Finding, Severity
from ipvg_eval.validation.report import ValidationReport

_SHOWN = 10
_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow"}


def render(report: ValidationReport, console: Console) -> None:
    """Print what was checked, the findings group by group, and the verdict on the last line.

    Long groups are cut after ten entries; `ValidationReport.to_dict` has all of them.
    """
    _print_head(report, console)
    for group in report.groups.values():
        _print_group(group, console)
    if report.testset_findings:
        title = f"The test set itself has {_count(len(report.testset_findings), 'finding')}"
        console.print(Text(f"{title}; its broken samples are not asked for.", "bold"))
        for finding in report.testset_findings[:_SHOWN]:
            _print_line(finding, finding.message, console)
        _print_rest(len(report.testset_findings), console)
        console.print()
    console.print(_verdict(report))


def _print_head(report: ValidationReport, console: Console) -> None:
    kind = f" ({report.kind})" if report.kind else ""
    track = f", {report.track} track" if report.track else ""
    console.print(Text.assemble((report.submission, "bold"), f"{kind}{track}"), soft_wrap=True)
    guess = " (assumed, no test set given)" if report.assumed else ""
    console.print(Text(f"Expected{guess}: {report.shape}"))
    how = "every frame decoded" if report.deep else "headers and first frames"
    present = f"{report.present:,} of {report.expected:,}" if report.expected else "none"
    console.print(Text(f"Present: {present}; checked: {report.checked:,} ({how})"))
    console.print()


def _print_group(group: Sequence[Finding], console: Console) -> None:
    first = group[0]
    head = Text.assemble(
        (first.severity.value, _STYLES[first.severity]), " ", (first.code, "bold"), f" ({len(group):,})"
    )
    # What all entries share is said once, above them.
    messages = Counter(finding.message for finding in group)
    actions = Counter(finding.action for finding in group)
    shared = messages.most_common(1)[0][0] if len(messages) == 1 else None
    console.print(Text.assemble(head, f": {shared}") if shared else head)
    for finding in group[:_SHOWN]:
        own = [] if shared else [finding.message]
        own += [finding.action] if len(actions) > 1 else []
        _print_line(finding, " ".join(own), console)
    _print_rest(len(group), console)
    if len(actions) == 1:
        console.print(Padding(Text.assemble("→ ", first.action, style="green"), (0, 0, 0, 2), expand=False))
    console.print()


def _print_line(finding: Finding, said: str, console: Console) -> None:
    text = Text.assemble((finding.path, "cyan"), f": {said}" if said else "")
    console.print(Padding(text, (0, 0, 0, 4), expand=False))


def _print_rest(count: int, console: Console) -> None:
    if count > _SHOWN:
        console.print(
            Padding(
                Text(f"and {count - _SHOWN:,} more (--json lists all)", "dim"), (0, 0, 0, 4), expand=False
            )
        )


def _verdict(report: ValidationReport) -> Text:
    warnings = len(report.warnings)
    if report.ok:
        tail = f", with {_count(warnings, 'warning')}" if warnings else ""
        return Text.assemble(("VALID", "bold green"), tail)
    tail = f" and {_count(warnings, 'warning')}" if warnings else ""
    return Text.assemble(("NOT VALID", "bold red"), f": {_count(len(report.errors), 'error')}{tail}")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
