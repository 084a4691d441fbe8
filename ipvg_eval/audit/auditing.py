"""An audit of one or more submissions and runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ipvg_eval.audit.lasting_text import lasting_text
from ipvg_eval.audit.metadata import check_metadata
from ipvg_eval.audit.model import KINDS, AuditFinding, AuditReport
from ipvg_eval.audit.motion import check_motion
from ipvg_eval.audit.sameness import check_sameness
from ipvg_eval.audit.signals import VideoSignals, reads_text
from ipvg_eval.audit.sources import check_rows, signals_of_run, signals_of_submission, videos_of
from ipvg_eval.audit.thresholds import Thresholds, parse_thresholds
from ipvg_eval.audit.timing import check_timing
from ipvg_eval.core.budget import Budget
from ipvg_eval.core.errors import UsageError
from ipvg_eval.core.packages import install_line
from ipvg_eval.decoding import DecoderProcess, PictureProcess
from ipvg_eval.errors import SubmissionError
from ipvg_eval.metadata import MetadataProcess
from ipvg_eval.metrics.protocols.definition import parse_definition
from ipvg_eval.results import Run, load_run
from ipvg_eval.sandbox import ProcessLimits
from ipvg_eval.submission import Submission, load_submission, team_names
from ipvg_eval.testset import TestSet, load_testset

if TYPE_CHECKING:
    from ipvg_eval.audit.faces import FaceChecks

OnVideo = Callable[[int, int], None]


def audit(
    sources: Iterable[Path | str | Submission | Run],
    *,
    testset: Path | str | TestSet | None = None,
    thresholds: Thresholds | None = None,
    faces: bool = True,
    limits: ProcessLimits | None = None,
    budget: Budget | None = None,
    on_video: OnVideo | None = None,
) -> AuditReport:
    """Look for what a metric alone would reward. Nothing here disqualifies anybody.

    Videos of submissions are decoded; of runs there are rows and thumbnails, which show less. A run beside
    the submission of the same team adds what its rows say.

    Args:
        sources: submissions and run folders of any number of teams.
        testset: what the submissions answer; without it references and timelines are not compared.
        thresholds: what numbers are compared with; those of the first run's protocol, else the defaults.
        faces: run the face checks, which take most of the time.
        limits: of the processes that decode and read metadata.
        budget: seconds and bytes that each submission's videos may cost; by their number where None.
        on_video: called with (videos done, videos in all).

    Raises:
        UsageError: a source does not exist, or two submissions have one name.
        SubmissionError: a submission cannot be read, or nobody has a video.
        RunError: a run folder cannot be read.
        TestSetError: the test set cannot be read.
    """
    submissions, runs = _opened(sources)
    expected = load_testset(testset) if isinstance(testset, (str, Path)) else testset
    limit = thresholds or _thresholds_of(runs)
    unchecked = _unchecked(submissions, runs, expected, faces)
    checks = _face_checks() if faces and expected is not None and submissions else None
    videos = {team: len(videos_of(submission, expected)) for team, submission in submissions.items()}
    total = sum(videos.values())
    if not (total or runs):
        first = next(iter(submissions.values()))
        raise SubmissionError(
            "there is no video to look at", path=first.address, hint="Give a folder or zip of videos."
        )
    unchecked += tuple(f"{team}: there is no video to look at." for team, many in videos.items() if not many)
    seen: list[VideoSignals] = []
    findings: list[AuditFinding] = []
    with DecoderProcess(limits) as decoder, MetadataProcess(limits) as metadata:
        for team, submission in submissions.items():
            for signals in signals_of_submission(
                submission, team, expected, decoder, metadata, faces=checks is not None, budget=budget
            ):
                findings.extend(_check_one(signals, expected, checks, limit))
                seen.append(replace(signals, sampled=None, between=None))
                if on_video is not None:
                    on_video(len(seen), total)
    with PictureProcess(limits) as pictures:
        for run in runs:
            findings.extend(check_rows(run, limit))
            if run.info.team not in submissions:
                for signals in signals_of_run(run, pictures):
                    findings.extend(check_motion(signals, limit))
                    seen.append(signals)
    findings.extend(_check_all(seen, expected, limit))
    teams = dict.fromkeys([*submissions, *(run.info.team for run in runs)])
    counts = {team: sum(signals.team == team for signals in seen) for team in teams}
    return AuditReport(teams=counts, thresholds=limit, findings=_ordered(findings), unchecked=unchecked)


def is_run(path: Path) -> bool:
    """Whether a path is a run folder."""
    return (path / "run.json").exists()


def _opened(sources: Iterable[Path | str | Submission | Run]) -> tuple[dict[str, Submission], list[Run]]:
    """Submissions by team, and runs."""
    submissions: list[Submission] = []
    runs: list[Run] = []
    for source in sources:
        if isinstance(source, Run):
            runs.append(source)
        elif isinstance(source, Submission):
            submissions.append(source)
        elif is_run(Path(source)):
            runs.append(load_run(source))
        else:
            submissions.append(load_submission(source))
    teams = [run.info.team for run in runs]
    if twice := next((name for name in teams if teams.count(name) > 1), None):
        raise UsageError(f"two runs are both of {twice!r}", hint="Give only the one that counts.")
    return dict(zip(team_names(submissions), submissions, strict=True)), runs


def _thresholds_of(runs: Sequence[Run]) -> Thresholds:
    if not runs:
        return Thresholds()
    protocol = runs[0].info.protocol
    return parse_thresholds(parse_definition(protocol.text, protocol.name).audit, protocol.name)


def _unchecked(
    submissions: Collection[str], runs: Sequence[Run], testset: TestSet | None, faces: bool
) -> tuple[str, ...]:
    notes = []
    if submissions and testset is None:
        notes.append("References and timelines: no test set is given.")
    elif submissions and not faces:
        notes.append("Faces: left out.")
    if submissions and not reads_text():
        notes.append(f"Text in the picture: it needs OpenCV; {install_line('lite')}.")
    alone = [run.info.team for run in runs if run.info.team not in submissions]
    if alone:
        notes.append(
            f"Loops, faces between the sampled frames, text and metadata of {', '.join(alone)}: "
            "a run keeps rows and thumbnails only, no videos."
        )
    return tuple(notes)


def _face_checks() -> FaceChecks:
    from ipvg_eval.audit.faces import FaceChecks
    from ipvg_eval.metrics.faces.mtcnn import Mtcnn

    return FaceChecks(Mtcnn())


def _check_one(
    signals: VideoSignals, testset: TestSet | None, faces: FaceChecks | None, limits: Thresholds
) -> Iterator[AuditFinding]:
    if signals.problem is not None:
        yield AuditFinding(
            kind="not-looked-at",
            team=signals.team,
            videos=(signals.video,),
            message=f"{signals.problem}.",
            numbers={},
            thresholds={},
        )
        return
    yield from check_motion(signals, limits)
    share, glyphs = lasting_text(signals.text, limits.text_glyphs)
    if glyphs and share >= limits.text_share:
        yield AuditFinding(
            kind="burned-in-text",
            team=signals.team,
            videos=(signals.video,),
            message=f"{share:.0%} of the looked-at frames show a row of up to {glyphs} letters in one place.",
            numbers={"share of frames": share, "letters": float(glyphs)},
            thresholds={"text_share": limits.text_share, "text_glyphs": float(limits.text_glyphs)},
        )
    if faces is not None and testset is not None:
        references = next(s.references for s in testset.samples if s.id == signals.sample)
        yield from faces.check(signals, references, limits)


def _check_all(
    seen: Sequence[VideoSignals], testset: TestSet | None, limits: Thresholds
) -> Iterator[AuditFinding]:
    samples = testset.samples if testset is not None else ()
    timelines = {sample.id: sample.timeline for sample in samples if sample.timeline is not None}
    yield from check_sameness(seen, limits)
    teams = list(dict.fromkeys(signals.team for signals in seen))
    for team in teams:
        yield from check_timing([signals for signals in seen if signals.team == team], timelines, limits)
    yield from check_metadata(seen, teams)


def _ordered(findings: Sequence[AuditFinding]) -> tuple[AuditFinding, ...]:
    """By kind, then as found; a still video is not called nearly still as well."""
    still = {(f.team, f.videos) for f in findings if f.kind == "still-video"}
    unique = {
        (f.kind, f.team, f.videos, f.message if f.kind.startswith("names") else ""): f
        for f in reversed(findings)
        if not (f.kind == "nearly-still-video" and (f.team, f.videos) in still)
    }
    order = {kind: k for k, kind in enumerate(KINDS)}
    in_turn = list(reversed(unique.values()))
    return tuple(sorted(in_turn, key=lambda f: order[f.kind]))
