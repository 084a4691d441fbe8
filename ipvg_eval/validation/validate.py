"""All checks of a submission."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ipvg_eval.core.budget import Budget
from ipvg_eval.core.errors import UsageError
from ipvg_eval.errors import SubmissionError
from ipvg_eval.findings import Finding, Severity
from ipvg_eval.sandbox import ProcessLimits
from ipvg_eval.submission import Limits, Submission, load_submission
from ipvg_eval.submission.address import without_secrets
from ipvg_eval.testset import TestSet, Track, load_testset
from ipvg_eval.validation.archive_name import check_archive_name, track_of_name
from ipvg_eval.validation.duplicates import check_duplicates
from ipvg_eval.validation.names import check_names
from ipvg_eval.validation.report import ValidationReport
from ipvg_eval.validation.rules import VideoRules
from ipvg_eval.validation.shape import assumed_shape, shape_of_testset
from ipvg_eval.validation.videos import Progress, check_videos


def validate(
    submission: Path | str | Submission,
    testset: Path | str | TestSet | None = None,
    *,
    track: Track | str | None = None,
    deep: bool = False,
    progress: Progress | None = None,
    rules: VideoRules | None = None,
    limits: Limits | None = None,
    process_limits: ProcessLimits | None = None,
    budget: Budget | None = None,
) -> ValidationReport:
    """Check a submission and report every finding at once.

    A zip that cannot be opened is a report with one finding, not an exception.

    Args:
        submission: folder or zip or a URL of either, or one that is open already.
        testset: what it must answer; without it the challenge's shape that fits best is assumed.
        track: the track it is meant for; told from the test set, then from the zip's name, if left out.
        deep: decode every frame instead of reading headers and first frames.
        progress: called with (videos done, videos in all) from the calling thread.
        rules: bounds of a plausible video.
        limits: bounds on counts and sizes; only for a submission that is not open yet.
        process_limits: what each process that opens videos may use.
        budget: seconds and bytes that the videos may cost, all together; by their number where None.

    Raises:
        UsageError: the submission does not exist, or the track is unknown.
        Unavailable: the storage that holds the submission cannot be used.
        TestSetError: the test set cannot be read.
    """
    wanted = _track(track)
    expected = load_testset(testset) if isinstance(testset, (str, Path)) else testset
    if isinstance(submission, (str, Path)):
        address = submission
        try:
            submission = load_submission(address, limits=limits)
        except SubmissionError as error:
            return _unreadable(without_secrets(str(address)), error, wanted, deep)
    track_known = wanted or (expected.track if expected is not None else None)
    shape = shape_of_testset(expected) if expected is not None else assumed_shape(submission.files)
    submission.expect(shape.videos)
    findings = [*submission.findings, *check_archive_name(submission, track_known)]
    findings.extend(_track_findings(wanted, expected))
    names = check_names(submission, shape)
    findings.extend(names.findings)
    findings.extend(
        check_videos(
            submission,
            names.sample_of,
            rules=rules or VideoRules(),
            deep=deep,
            progress=progress,
            timelines=_timelines(expected),
            driving=_driving(expected),
            limits=process_limits,
            budget=(budget or Budget()).for_samples(len(shape.videos)),
        )
    )
    findings.extend(check_duplicates(submission, names.sample_of))
    return ValidationReport(
        submission=submission.location,
        kind=submission.kind,
        track=track_known or track_of_name(submission),
        shape=shape.description,
        assumed=shape.assumed,
        expected=len(shape.videos),
        present=names.present,
        checked=len(names.sample_of),
        deep=deep,
        findings=_grouped(findings),
        testset_findings=expected.findings if expected is not None else (),
    )


def _track(track: Track | str | None) -> Track | None:
    try:
        return Track(track) if track is not None else None
    except ValueError as error:
        raise UsageError(f"unknown track {track!r}", hint=f"Tracks: {', '.join(Track)}.") from error


def _unreadable(path: str, error: SubmissionError, track: Track | None, deep: bool) -> ValidationReport:
    finding = Finding(
        code="submission-unreadable",
        severity=Severity.ERROR,
        path=path,
        message=f"{str(error).removeprefix(f'{path}: ')}.",
        action=error.hint or "Pack the submission again.",
    )
    return ValidationReport(
        submission=path,
        kind=None,
        track=track,
        shape="unknown, because the submission cannot be opened",
        assumed=False,
        expected=0,
        present=0,
        checked=0,
        deep=deep,
        findings=(finding,),
    )


def _timelines(testset: TestSet | None) -> dict[str, str]:
    samples = testset.samples if testset is not None else ()
    return {sample.id: sample.timeline for sample in samples if sample.timeline is not None}


def _driving(testset: TestSet | None) -> dict[str, Path]:
    samples = testset.samples if testset is not None else ()
    return {sample.id: sample.audio.path for sample in samples if sample.audio is not None}


def _track_findings(wanted: Track | None, testset: TestSet | None) -> list[Finding]:
    if wanted is None or testset is None or wanted is testset.track:
        return []
    return [
        Finding(
            code="track-differs",
            severity=Severity.WARNING,
            path=str(testset.root),
            message=f"The {wanted} track was asked for, but this test set is of the {testset.track} track.",
            action="Check --track and --testset.",
        )
    ]


def _grouped(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Errors first, findings of one code together, otherwise in the order in which they were found."""
    findings = list(findings)
    order = {code: i for i, code in enumerate(dict.fromkeys(finding.code for finding in findings))}
    return tuple(sorted(findings, key=lambda f: (f.severity is not Severity.ERROR, order[f.code])))
