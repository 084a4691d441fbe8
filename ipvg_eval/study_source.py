"""From runs, submissions and the test set to what a user study is made of."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ipvg_eval.core.errors import UsageError
from ipvg_eval.leaderboard.study import StudyError, StudyPicture, StudySample, StudyTeam
from ipvg_eval.leaderboard.study.subjects import OpenVideo
from ipvg_eval.results import Run, load_run
from ipvg_eval.submission import MemberError, Submission, load_submission, team_names
from ipvg_eval.testset import Sample, TestSet, find_testset, load_testset


@dataclass(frozen=True, kw_only=True)
class _Video:
    """A team's video of one sample: where it lies in the submission, and its hash if a run measured it."""

    relative: str
    sha256: str | None


def study_source(
    runs: Sequence[Path], submissions: Sequence[str], testset: Path | None
) -> tuple[list[StudyTeam], list[StudySample]]:
    """The finalists with their videos, and the samples.

    With runs, the teams are the runs' and a video must be the very file that was measured. Without, every
    submission is a team under its own name.

    Args:
        runs: run folders, one per team.
        submissions: folders or zips, folders that hold them, or TEAM=PATH.
        testset: the test set; looked for as `score` does where None.

    Raises:
        UsageError: a submission is not found, two runs are of one team, or the test set is another one.
        IpvgError: a run, submission or test set cannot be read.
    """
    given = [GivenSubmission.of(text) for text in submissions]
    if not runs:
        opened = [(entry.team, load_submission(entry.path)) for entry in given]
        unnamed = iter(team_names([submission for team, submission in opened if team is None]))
        loaded: dict[str, Submission] = {}
        for team, submission in opened:
            name = team or next(unnamed)
            if name in loaded:
                raise UsageError(f"two submissions of team {name!r}", hint="Name them: TEAM=PATH.")
            loaded[name] = submission
        if not loaded:
            raise UsageError("nothing is given to compare", hint="Give --runs or --submissions.")
        found = _testset(testset, next(iter(loaded.values())))
        return [_team(name, one, _expected(found)) for name, one in loaded.items()], _samples(found)
    read = [load_run(path) for path in runs]
    _check_teams(read)
    pairs = [(run, _submission_of(run, given)) for run in read]
    found = _testset(testset, pairs[0][1])
    for run in read:
        if run.info.testset.fingerprint != found.fingerprint:
            raise UsageError(
                f"the run of team {run.info.team!r} is on another test set than {found.root}",
                path=run.folder.path,
                hint="Give the test set that was scored with --testset.",
            )
    return [_team(run.info.team, one, _measured(run)) for run, one in pairs], _samples(found)


@dataclass(frozen=True, kw_only=True)
class GivenSubmission:
    """A submission as the command line names it: PATH, or TEAM=PATH.

    Attributes:
        team: whose it is; None where the path alone must say.
        path: a folder or zip, or a folder that holds several.
    """

    team: str | None
    path: Path

    @classmethod
    def of(cls, text: str) -> GivenSubmission:
        """Read the words; a path that is there wins over a team with an equals sign in its name."""
        team, equals, path = text.partition("=")
        if equals and not Path(text).exists():
            return cls(team=team, path=Path(path))
        return cls(team=None, path=Path(text))


def places_of(run: Run, given: Sequence[GivenSubmission]) -> list[Path]:
    """Where the submission that a run measured may lie, best first: by the team's name, or by its own."""
    scored = run.info.submission
    file = scored.name + (".zip" if scored.kind == "zip" else "")
    places = [entry.path for entry in given if entry.team == run.info.team]
    for entry in given:
        if entry.team is None:
            inside = (entry.path, entry.path / file, *_in_a_folder_of(run.info.team, entry.path, file))
            places += [path for path in inside if path.name == file]
    return places


def _check_teams(runs: Sequence[Run]) -> None:
    teams: dict[str, Path] = {}
    for run in runs:
        team = run.info.team
        if team in teams:
            raise UsageError(
                f"two runs of team {team!r}: {teams[team]} and {run.folder.path}",
                hint="Give only the one that counts.",
            )
        teams[team] = run.folder.path


def _submission_of(run: Run, given: Sequence[GivenSubmission]) -> Submission:
    places = places_of(run, given)
    # A path that was given for the team says itself that nothing is there.
    named = any(entry.team == run.info.team for entry in given)
    for path in places:
        if named or path.exists():
            return load_submission(path)
    scored = run.info.submission
    file = scored.name + (".zip" if scored.kind == "zip" else "")
    raise UsageError(
        f"the submission {file!r} of team {run.info.team!r} is not found",
        path=run.folder.path,
        hint=f"Give it, or the folder it lies in: --submissions '{run.info.team}=PATH'.",
    )


def _in_a_folder_of(team: str, folder: Path, file: str) -> list[Path]:
    """UPLOADS/TEAM/FILE. A team's name comes from its run: it leads into one folder and nowhere else."""
    return [folder / team / file] if Path(team).name == team and team not in ("", "..") else []


def _testset(explicit: Path | None, submission: Submission) -> TestSet:
    return load_testset(find_testset(explicit, submission.path))


def _expected(testset: TestSet) -> dict[str, _Video]:
    return {sample.id: _Video(relative=sample.video, sha256=None) for sample in testset.samples}


def _measured(run: Run) -> dict[str, _Video]:
    rows = run.samples[["sample", "video", "video_sha256"]].to_dict("records")
    return {row["sample"]: _Video(relative=row["video"], sha256=row["video_sha256"] or None) for row in rows}


def _team(name: str, submission: Submission, videos: Mapping[str, _Video]) -> StudyTeam:
    submission.expect([video.relative for video in videos.values()])
    openers: dict[str, OpenVideo] = {}
    for sample, video in videos.items():
        if submission.has(video.relative):
            openers[sample] = _opener(submission, video)
    absent = {sample: "there is no such file in the submission" for sample in videos if sample not in openers}
    return StudyTeam(name=name, videos=openers, absent=absent)


def _opener(submission: Submission, video: _Video) -> OpenVideo:
    @contextmanager
    def open_video() -> Iterator[Path]:
        try:
            if video.sha256 is not None and submission.sha256(video.relative) != video.sha256:
                raise UsageError(
                    f"{video.relative} is not the file that was scored",
                    path=submission.path,
                    hint="Give the submission that was scored, or score this one.",
                )
            with submission.open_video(video.relative) as path:
                yield path
        except MemberError as error:
            raise StudyError(error.message) from error

    return open_video


def _samples(testset: TestSet) -> list[StudySample]:
    return [
        StudySample(
            id=sample.id,
            identity=sample.identity,
            prompt=sample.prompt,
            timeline=_timeline(sample),
            references=tuple(
                StudyPicture(path=reference.path, label=reference.label or "")
                for reference in sample.references
            ),
        )
        for sample in testset.samples
    ]


def _timeline(sample: Sample) -> str:
    """The timeline as people read it: one line per event."""
    if sample.timeline is None or sample.timeline == sample.prompt:
        return ""
    try:
        events = json.loads(sample.timeline)
        return "\n".join(f"{event['start']} – {event['end']} s: {event['description']}" for event in events)
    except (ValueError, KeyError, TypeError):
        return sample.timeline
