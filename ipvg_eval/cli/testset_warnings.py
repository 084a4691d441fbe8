"""Saying what is wrong with a test set before anything is measured against it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from ipvg_eval.cli.consoles import STDERR
from ipvg_eval.findings import Severity

if TYPE_CHECKING:
    from ipvg_eval.testset import TestSet


def loaded_with_warnings(place: Path, reference_videos: Path | None = None) -> TestSet:
    """The test set; each of its faults is said once, with how many samples it costs.

    Args:
        place: its folder.
        reference_videos: folder of its real videos, where these lie elsewhere.

    Raises:
        TestSetError: it cannot be read, or has no sample left.
    """
    from ipvg_eval.testset import load_testset

    testset = load_testset(place, reference_videos=reference_videos)
    left = {sample.id for sample in testset.samples}
    lost: dict[str, set[str]] = {}
    for finding in testset.findings:
        if finding.severity is Severity.ERROR:
            samples = lost.setdefault(f"{finding.path}: {finding.message}", set())
            samples |= {finding.sample or ""} - left - {""}
    for fault, samples in lost.items():
        count = len(samples)
        cost = f" {count} sample{'s are' if count > 1 else ' is'} left out." if count else ""
        STDERR.print(f"[bold yellow]test set:[/] {escape(fault + cost)}", soft_wrap=True)
    return testset
