"""Reading everything that a viewer shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from ipvg_eval.core.errors import IpvgError, UsageError
from ipvg_eval.core.run_folder import check_run_folder
from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.core.summary import Summary
from ipvg_eval.results import Run, load_run
from ipvg_eval.results.aggregate import count
from ipvg_eval.results.folder import RunFolder
from ipvg_eval.results.tables import frames_table, samples_table
from ipvg_eval.study_source import GivenSubmission, places_of
from ipvg_eval.submission import Submission, load_submission
from ipvg_eval.testset import TestSet, load_testset
from ipvg_eval.testset.locate import find_testset_if_any
from ipvg_eval.testset.order import natural_key
from ipvg_eval.viewer.material import Material, Side

MOST_RUNS = 6
"""Runs side by side, at most."""


def gather(
    runs: Sequence[Path],
    submissions: Sequence[str] = (),
    testset: Path | None = None,
    *,
    public: Sequence[str] = (),
    start: str = "grid",
) -> Material:
    """Read runs, and what is given to look at beside them.

    Args:
        runs: run folders, up to six; finished or still being written.
        submissions: folders or zips, folders that hold them, or TEAM=PATH. A run without one has stills only.
        testset: the test set; looked for as `score` does where None.
        public: patterns of sample ids such as `id001/*`; where given, nothing of other samples is shown.
        start: the view that is shown first: "grid" or "compare".

    Raises:
        UsageError: no run, too many or one twice; a submission of a team without a run; no sample that a
            pattern means.
        IpvgError: a run or the named test set cannot be read.
    """
    if not runs or len(runs) > MOST_RUNS:
        raise UsageError(f"{len(runs)} runs are given", hint=f"Give one to {MOST_RUNS} run folders.")
    if len({path.resolve() for path in runs}) < len(runs):
        raise UsageError("a run folder is given twice", hint="Give each run once.")
    read = [read_run(path) for path in runs]
    given = [GivenSubmission.of(text) for text in submissions]
    _check_teams(read, given)
    names = _names(read)
    sides = tuple(_side(name, run, given) for name, run in zip(names, read, strict=True))
    found, notices = _testset_of(sides, testset)
    samples = _ordered(sides, found)
    shown = tuple(name for name in samples if not public or any(fnmatchcase(name, p) for p in public))
    if public and not shown:
        raise UsageError(
            f"no sample is called {' or '.join(public)}",
            hint=f"The first of {len(samples)} samples are: {', '.join(samples[:3])}.",
        )
    return Material(
        sides=sides,
        samples=shown,
        testset=found,
        notices=tuple(notices),
        excerpt=bool(public),
        start=start,
    )


def read_run(path: Path) -> Run:
    """A run; one that is still being written as far as its journal goes, without means and intervals.

    Raises:
        NotARun: the folder is no run.
        RunError: a file of it is missing or damaged.
    """
    check_run_folder(path)
    folder = RunFolder(path)
    info = folder.read_info()
    trimmed = (path / "summary.json").exists() and not (path / "journal.jsonl").exists()
    if info.finished is not None or trimmed:
        return load_run(path)
    rows = tuple(folder.journal.read().values())
    info = info.model_copy(update={"counts": count(rows, samples=info.counts.samples)})
    metrics = [spec.name for spec in info.specs]
    return Run(
        folder=folder,
        info=info,
        summary=Summary(
            team=info.team,
            protocol=f"{info.protocol.name} {info.protocol.version}",
            testset=info.testset.fingerprint,
            notice=info.protocol.notice,
            counts=info.counts,
            metrics=(),
        ),
        samples=samples_table(rows, metrics, info.protocol.combined).to_pandas(),
        frames=frames_table(rows).to_pandas(),
        findings=folder.read_findings(),
    )


def _check_teams(runs: Sequence[Run], given: Sequence[GivenSubmission]) -> None:
    teams = {run.info.team for run in runs}
    for entry in given:
        if entry.team is not None and entry.team not in teams:
            raise UsageError(
                f"--submission names the team {entry.team!r}, of which there is no run",
                hint=did_you_mean(entry.team, teams),
            )


def _names(runs: Sequence[Run]) -> list[str]:
    """Teams; runs of one team by their folder, too."""
    teams = Counter(run.info.team for run in runs)
    names = [
        run.info.team if teams[run.info.team] == 1 else f"{run.info.team} ({run.folder.path.name})"
        for run in runs
    ]
    twice = Counter(names)
    return [name if twice[name] == 1 else f"{name} {place}" for place, name in enumerate(names, start=1)]


def _side(name: str, run: Run, given: Sequence[GivenSubmission]) -> Side:
    places = places_of(run, given)
    looked = ", ".join(dict.fromkeys(map(str, places)))
    submission: Submission | None = None
    why = "no submission of this run is given" if not places else f"not found in {looked}"
    for path in places:
        if path.exists():
            try:
                submission, why = load_submission(path), ""
                submission.expect(run.samples["video"].tolist())
            except IpvgError as error:
                submission, why = None, str(error)
            break
    if not places and given:
        looked = ", ".join(dict.fromkeys(str(entry.path) for entry in given))
        why = f"no submission called {run.info.submission.name} in {looked}"
    return Side(name=name, run=run, submission=submission, videos=why)


def _testset_of(sides: Sequence[Side], explicit: Path | None) -> tuple[TestSet | None, list[str]]:
    """The test set of the runs, and what to say where it is not theirs."""
    beside = next((side.submission.beside for side in sides if side.submission is not None), None)
    path = find_testset_if_any(explicit, beside)
    if path is None:
        return None, ["Prompts are not shown: no test set is given or found."]
    try:
        found = load_testset(path)
    except IpvgError:
        if explicit is not None:
            raise
        return None, [f"Prompts are not shown: {path} is no test set."]
    others = [side.name for side in sides if side.run.info.testset.fingerprint != found.fingerprint]
    if len(others) == len(sides):
        if explicit is not None:
            raise UsageError(
                f"the runs are on another test set than {path}",
                hint="Give the test set that was scored with --testset.",
            )
        return None, [f"Prompts are not shown: the runs are on another test set than {path}."]
    notices = [f"{name} was scored on another test set: its samples are others." for name in others]
    return found, notices


def _ordered(sides: Sequence[Side], testset: TestSet | None) -> tuple[str, ...]:
    """Every sample of any run: as the test set has them, or in natural order while a run is being written."""
    there = dict.fromkeys(name for side in sides for name in side.rows)
    pending = any(side.run.info.counts.pending for side in sides)
    if testset is None:
        return tuple(sorted(there, key=natural_key) if pending else there)
    asked = [sample.id for sample in testset.samples]
    return tuple(dict.fromkeys((*asked, *there)))
