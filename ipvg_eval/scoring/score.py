"""Score submissions: the main job, from paths to runs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from ipvg_eval.core.errors import UsageError
from ipvg_eval.core.file_names import folder_name
from ipvg_eval.core.run import WorkersInfo
from ipvg_eval.metrics.protocols import DEFAULT_PROTOCOL
from ipvg_eval.metrics.runtime import Dtype
from ipvg_eval.results import Run, load_run
from ipvg_eval.results.folder import RunFolder
from ipvg_eval.sandbox import ProcessLimits
from ipvg_eval.scoring.facts import ScorerFacts
from ipvg_eval.scoring.local import LocalMeasuring
from ipvg_eval.scoring.run import Measuring, OnSample, ScoringRun
from ipvg_eval.scoring.scorer import Scorer, build_scorer
from ipvg_eval.submission import Submission, load_submission
from ipvg_eval.testset import TestSet, find_testset, load_testset


class Engine(Protocol):
    """Scorers elsewhere that measure together; see `ipvg_eval.cluster.ray_engine`."""

    @property
    def facts(self) -> ScorerFacts:
        """What a run records of each of them."""
        ...

    def suited_to(self, testset: TestSet) -> Engine:
        """The same without what needs timelines, where a test set has none."""
        ...

    def measuring(
        self, submission: Submission, testset: TestSet, *, limits: ProcessLimits, decoders: int
    ) -> Measuring:
        """What measures the samples of a submission."""
        ...

    def workers(self) -> WorkersInfo:
        """Which workers there were so far."""
        ...


def score(
    submission: Path | str | Submission,
    *,
    testset: Path | str | None = None,
    protocol: str | Scorer | Engine = DEFAULT_PROTOCOL,
    team: str | None = None,
    out: Path | str | None = None,
    limit: int | None = None,
    metrics: Iterable[str] | None = None,
    device: str = "auto",
    dtype: Dtype = "float32",
    weights: str | None = None,
    frames: int | None = None,
    limits: ProcessLimits | None = None,
    decoders: int = 2,
    command: tuple[str, ...] | None = None,
    on_sample: OnSample | None = None,
) -> Run:
    """Score one submission under one protocol.

    Calling it again with the same arguments goes on where it stopped and measures only what is
    not measured yet, or whose video changed.

    Args:
        submission: folder or zip or a URL of either, or a submission that is already loaded.
        testset: its folder; where None, `$IPVG_TESTSET`, then testset/ beside the submission or here.
        protocol: name of a shipped protocol, path of a .yaml file, or a scorer or engine that is already
            built; what is built already has its own metrics, device, dtype, weights and frames.
        team: who is scored; the submission's name where None.
        out: run folder; runs/TEAM-PROTOCOL where None.
        limit: measure the first so many samples only.
        metrics: the metrics to measure; all of the protocol's where None.
        device: "auto", "cpu", "cuda" or "cuda:N".
        dtype: floating-point type of the networks.
        weights: None for the published weights, "random" or "random:SEED" for seeded random ones.
        frames: look at so many frames of a video only, for a quick try; None for the protocol's own rule.
        limits: what each decoder process may use.
        decoders: how many videos are decoded at a time, ahead of the networks.
        command: the command line, for provenance.
        on_sample: called after every sample with its row and whether it was measured now.

    Returns:
        The run, read back from its folder.

    Raises:
        IpvgError: the test set, the submission or the run folder cannot be used.
        MetricsError: the protocol, its weights or the device cannot be used.
    """
    if limit is not None and limit < 1:
        raise UsageError(f"--limit {limit}: there must be at least one sample to score")
    loaded = submission if isinstance(submission, Submission) else load_submission(submission)
    samples = load_testset(find_testset(Path(testset) if testset else None, loaded.beside))
    built = (
        build_scorer(protocol, metrics=metrics, device=device, dtype=dtype, weights=weights, frames=frames)
        if isinstance(protocol, str)
        else protocol
    ).suited_to(samples)
    name = team or loaded.name
    facts, limits = built.facts, limits or ProcessLimits()
    folder = RunFolder(Path(out) if out else default_out(name, facts))
    if isinstance(built, Scorer):
        measuring: Measuring = LocalMeasuring(
            submission=loaded, scorer=built, limits=limits, decoders=decoders
        )
    else:
        measuring = built.measuring(loaded, samples, limits=limits, decoders=decoders)
    run = ScoringRun(
        submission=loaded,
        testset=samples,
        facts=facts,
        folder=folder,
        team=name,
        measuring=measuring,
        command=command,
        workers=None if isinstance(built, Scorer) else built.workers,
    )
    run.execute(limit=limit, on_sample=on_sample)
    return load_run(folder.path)


def default_out(team: str, facts: ScorerFacts) -> Path:
    """Where a run goes when no folder is given."""
    return Path("runs") / f"{folder_name(team)}-{facts.protocol.definition.name}"
