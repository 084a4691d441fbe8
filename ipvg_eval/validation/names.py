"""Comparing the files of a submission with the videos it owes."""

from __future__ import annotations

from dataclasses import dataclass

from ipvg_eval.core.printable import printable
from ipvg_eval.findings import Finding, Severity
from ipvg_eval.submission import Submission
from ipvg_eval.validation.near_miss import NearMisses, is_video_name
from ipvg_eval.validation.shape import Shape


@dataclass(frozen=True, kw_only=True)
class NameCheck:
    """The outcome.

    Attributes:
        findings: missing, misnamed and extra files.
        present: owed videos that are there.
        sample_of: id of the sample by the path of every video worth opening, misnamed ones included.
    """

    findings: tuple[Finding, ...]
    present: int
    sample_of: dict[str, str]


def check_names(submission: Submission, shape: Shape) -> NameCheck:
    """Every owed video that is missing, every file that is misnamed, and every file nobody asked for.

    A video that is missing only because its entry was refused is not reported again.
    """
    if not submission.files and not submission.refused:
        return NameCheck(findings=(_empty(submission),), present=0, sample_of={})
    near = NearMisses(shape.videos)
    sample_of = {name: sample for name, sample in shape.videos.items() if submission.has(name)}
    present = len(sample_of)
    missing = dict.fromkeys(name for name in shape.videos if name not in sample_of)
    findings: list[Finding] = []
    for name in submission.files:
        if name in shape.videos or name in shape.tolerated:
            continue
        meant = near.meant_by(name) if is_video_name(name) or "." not in name.rpartition("/")[2] else None
        if meant is not None and meant in missing:
            del missing[meant]
            sample_of[name] = shape.videos[meant]
            findings.append(_misnamed(name, meant, shape))
        else:
            findings.append(_extra(name, meant))
    for name in submission.refused:
        meant = near.meant_by(name)
        if meant is not None:
            missing.pop(meant, None)
    findings.extend(_missing(name, shape.videos[name]) for name in missing)
    return NameCheck(findings=tuple(findings), present=present, sample_of=sample_of)


def _empty(submission: Submission) -> Finding:
    return Finding(
        code="no-videos",
        severity=Severity.ERROR,
        path=submission.location,
        message=f"The {submission.kind} holds no files.",
        action="Put the videos into it.",
    )


def _misnamed(name: str, meant: str, shape: Shape) -> Finding:
    other_format = name.lower().rstrip(" .").endswith(".mp4") or not is_video_name(name)
    rename = f"Rename it to {meant}." if other_format else f"Export it as MP4 and name it {meant}."
    return Finding(
        code="video-misnamed",
        severity=Severity.ERROR,
        path=printable(name),
        message="The name is not what the rules ask for.",
        action=rename,
        sample=shape.videos[meant],
    )


def _extra(name: str, meant: str | None) -> Finding:
    if not is_video_name(name):
        return Finding(
            code="file-extra",
            severity=Severity.WARNING,
            path=printable(name),
            message="This file is not asked for and is ignored.",
            action="Leave it out.",
        )
    beside = f"{meant} is there already" if meant is not None else "no sample asks for it"
    return Finding(
        code="video-extra",
        severity=Severity.ERROR,
        path=printable(name),
        message=f"This video is not asked for: {beside}.",
        action="Leave it out, or check that this is the right test set.",
    )


def _missing(name: str, sample: str) -> Finding:
    return Finding(
        code="video-missing",
        severity=Severity.ERROR,
        path=name,
        message="The video is missing.",
        action="Generate it and put it there.",
        sample=sample,
    )
