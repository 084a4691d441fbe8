"""Score submissions: the main job, from paths to runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Protocol

from ipvg_eval.core.budget import Budget
from ipvg_eval.core.errors import UsageError
from ipvg_eval.core.file_names import folder_name
from ipvg_eval.core.run import WorkersInfo
from ipvg_eval.decoding import DecoderProcess
from ipvg_eval.results import Run, load_run
from ipvg_eval.results.folder import RunFolder
from ipvg_eval.sandbox import ProcessLimits
from ipvg_eval.scoring.local_executor import LocalExecutor
from ipvg_eval.scoring.recipe import Recipe
from ipvg_eval.scoring.run import Executor, OnSample, ScoringRun
from ipvg_eval.scoring.scorer import Scorer
from ipvg_eval.scoring.scorer_info import ScorerInfo
from ipvg_eval.submission import Submission, load_submission
from ipvg_eval.testset import TestSet, find_testset, load_testset


class Engine(Protocol):
    """Scorers elsewhere that measure together; see `ipvg_eval.cluster.ray_engine`."""

    @property
    def info(self) -> ScorerInfo:
        """What a run records of each of them."""
        ...

    def suited_to(self, testset: TestSet) -> Engine:
        """The same without what needs timelines, where a test set has none."""
        ...

    def executor(
        self, submission: Submission, testset: TestSet, *, limits: ProcessLimits, decoders: int
    ) -> Executor:
        """What measures the samples of a submission."""
        ...

    def workers(self) -> WorkersInfo:
        """Which workers there were so far."""
        ...


def score(
    submission: Path | str | Submission,
    *,
    testset: Path | str | TestSet | None = None,
    recipe: Recipe | Scorer | Engine | None = None,
    protocol: str | None = None,
    team: str | None = None,
    out: Path | str | None = None,
    limit: int | None = None,
    limits: ProcessLimits | None = None,
    budget: Budget | None = None,
    decoders: int = 2,
    command: tuple[str, ...] | None = None,
    on_sample: OnSample | None = None,
) -> Run:
    """Score one submission under one protocol.

    Calling it again with the same arguments goes on where it stopped and measures only what is
    not measured yet, or whose video changed.

    Args:
        submission: folder or zip or a URL of either, or a submission that is already loaded.
        testset: its folder, or a test set that is loaded; where None, `$IPVG_TESTSET`, then testset/ beside
            the submission or here.
        recipe: how it is measured; or a scorer or engine that is built already, to use it for several.
        protocol: short for `Recipe(protocol=...)`, where nothing else of the recipe changes.
        team: who is scored; the submission's name where None.
        out: run folder; runs/TEAM-PROTOCOL where None.
        limit: measure the first so many samples only.
        limits: what each decoder process may use.
        budget: what the submission's videos may cost, all together; by the number of samples where None.
        decoders: how many videos are decoded at a time, ahead of the networks.
        command: the command line, for provenance.
        on_sample: called after every sample with its row and whether it was measured now.

    Returns:
        The run, read back from its folder.

    Raises:
        UsageError: both a recipe and a protocol are given, or no sample is left by the limit.
        IpvgError: the test set, the submission or the run folder cannot be used.
        Unavailable: the installation is broken.
        MetricsError: the protocol, its weights or the device cannot be used.
    """
    if limit is not None and limit < 1:
        raise UsageError(f"--limit {limit}: there must be at least one sample to score")
    if recipe is None:
        recipe = Recipe() if protocol is None else Recipe(protocol=protocol)
    elif protocol is not None:
        raise UsageError("score() got a recipe and a protocol", hint="Name the protocol in the recipe.")
    loaded = submission if isinstance(submission, Submission) else load_submission(submission)
    if isinstance(testset, TestSet):
        samples = testset
    else:
        samples = load_testset(find_testset(Path(testset) if testset else None, loaded.beside))
    built = (recipe.build() if isinstance(recipe, Recipe) else recipe).suited_to(samples)
    name = team or loaded.name
    info, limits = built.info, limits or ProcessLimits()
    with DecoderProcess(limits) as decoder:
        confinement = decoder.hello().confinement  # a broken installation leaves no run folder behind
    if info.confinement is None:
        info = replace(info, confinement=confinement)
    folder = RunFolder(Path(out) if out else default_out(name, info))
    if isinstance(built, Scorer):
        executor: Executor = LocalExecutor(submission=loaded, scorer=built, limits=limits, decoders=decoders)
    else:
        executor = built.executor(loaded, samples, limits=limits, decoders=decoders)
    run = ScoringRun(
        submission=loaded,
        testset=samples,
        scorer_info=info,
        folder=folder,
        team=name,
        executor=executor,
        command=command,
        budget=budget or Budget(),
        workers=None if isinstance(built, Scorer) else built.workers,
    )
    run.execute(limit=limit, on_sample=on_sample)
    return load_run(folder.path)


def default_out(team: str, info: ScorerInfo) -> Path:
    """Where a run goes when no folder is given."""
    return Path("runs") / f"{folder_name(team)}-{info.protocol.definition.name}"
