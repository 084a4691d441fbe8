"""From the entries of a folder or a zip to the files that may be used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from ipvg_eval.core.printable import printable
from ipvg_eval.findings import Finding, Severity
from ipvg_eval.submission.limits import Limits
from ipvg_eval.submission.paths import (
    Problem,
    archive_problem,
    clash_problem,
    name_clashes,
    name_problem,
    normalise,
)
from ipvg_eval.submission.wrapper import wrapper_finding, wrapping_folder
from ipvg_eval.testset.junk import is_junk
from ipvg_eval.testset.order import natural_key

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Entry(Generic[T]):
    """One file as it is listed.

    Attributes:
        name: name as it stands in the folder or zip.
        size: bytes, unpacked.
        item: what opens it.
        problem: why it must not be opened, as far as its container shows, or None.
    """

    name: str
    size: int
    item: T
    problem: Problem | None


@dataclass(frozen=True, kw_only=True)
class Listing(Generic[T]):
    """The usable files by normalised path without the wrapping folder, and everything else's findings."""

    items: Mapping[str, T]
    sizes: Mapping[str, int]
    refused: tuple[str, ...]
    wrapper: str | None
    findings: tuple[Finding, ...]


def list_entries(entries: Iterable[Entry[T]], limits: Limits, *, cut: bool = False) -> Listing[T]:
    """Sort entries into usable files, refused ones and leftovers.

    Args:
        entries: every file, in the order of the container.
        limits: bounds on counts and sizes.
        cut: whether there are more that were not even listed.
    """
    entries = list(entries)
    findings = _total_findings(entries, limits, cut=cut)
    refused: list[str] = []
    usable: list[Entry[T]] = []
    clashes = name_clashes(e.name for e in entries if not is_junk(normalise(e.name)))
    first_seen: set[str] = set()
    for entry in entries:
        first = clashes.get(entry.name)
        problem = name_problem(entry.name) or entry.problem or archive_problem(entry.name)
        problem = problem or _size_problem(entry.size, limits)
        if problem is not None:
            findings.append(problem.finding(entry.name))
        elif is_junk(normalise(entry.name)):
            findings.append(_junk_finding(entry.name))
            continue
        elif first is None:
            usable.append(entry)
            continue
        elif first in first_seen:
            findings.append(clash_problem(first).finding(entry.name))
        else:
            # One finding per pair: the first of a group is refused with the second's finding.
            first_seen.add(first)
        refused.append(entry.name)
    wrapper = wrapping_folder(normalise(entry.name) for entry in usable)
    if wrapper is not None:
        findings.append(wrapper_finding(wrapper))
    prefix = 0 if wrapper is None else len(wrapper) + 1
    files = {normalise(entry.name)[prefix:]: entry for entry in usable}
    ordered = sorted(files, key=natural_key)
    return Listing(
        items={name: files[name].item for name in ordered},
        sizes={name: files[name].size for name in ordered},
        refused=tuple(refused),
        wrapper=wrapper,
        findings=tuple(findings),
    )


def _total_findings(entries: list[Entry[T]], limits: Limits, *, cut: bool) -> list[Finding]:
    findings = []
    if cut or len(entries) > limits.max_members:
        findings.append(
            Finding(
                code="too-many-files",
                severity=Severity.ERROR,
                path=".",
                message=f"The submission holds more than {limits.max_members:,} entries.",
                action="Hand in the videos alone.",
            )
        )
    total = sum(entry.size for entry in entries)
    if total > limits.max_total_bytes:
        findings.append(
            Finding(
                code="total-too-large",
                severity=Severity.ERROR,
                path=".",
                message=f"The files take {total:,} bytes, more than the {limits.max_total_bytes:,} allowed.",
                action="Encode the videos with a lower bit rate.",
            )
        )
    return findings


def _size_problem(size: int, limits: Limits) -> Problem | None:
    if size <= limits.max_file_bytes:
        return None
    return Problem(
        code="file-too-large",
        message=f"The file takes {size:,} bytes; at most {limits.max_file_bytes:,} are read.",
        action="Encode the video with a lower bit rate.",
    )


def _junk_finding(name: str) -> Finding:
    return Finding(
        code="junk-file",
        severity=Severity.WARNING,
        path=printable(name),
        message="The operating system left this behind; it is ignored.",
        action="Leave it out when packing.",
    )
