"""Making all videos of a run: every prompt, then every picture, then every video."""

from __future__ import annotations

import platform
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ipvg_eval.reference_generator.job import Job, Shard
from ipvg_eval.reference_generator.made_video import LookAt, look_at
from ipvg_eval.reference_generator.models import Found
from ipvg_eval.reference_generator.output_folder import check_output, output_errors
from ipvg_eval.reference_generator.picture_stage import Similarity
from ipvg_eval.reference_generator.plan import make_plan, revision_of
from ipvg_eval.reference_generator.progress import OnProgress, Progress
from ipvg_eval.reference_generator.record import Record, records_folder, write_json
from ipvg_eval.reference_generator.settings import Settings
from ipvg_eval.reference_generator.stages import LoadSystem, Stages
from ipvg_eval.reference_generator.system_loading import load_system, models_of

__all__ = ["Outcome", "Progress", "generate"]

_PACKAGES = ("torch", "diffusers", "transformers", "av")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run did.

    Attributes:
        made: records of the videos made now.
        finished_before: how many were there already.
        failed: records of the samples that failed.
        stopped: whether it was ended before all were tried.
    """

    made: tuple[Record, ...]
    finished_before: int
    failed: tuple[Record, ...]
    stopped: bool = False


def generate(
    jobs: Sequence[Job],
    settings: Settings,
    out: Path,
    *,
    shard: Shard | None = None,
    overwrite: bool = False,
    testset: Path | None = None,
    similarity: Similarity | None = None,
    on_progress: OnProgress | None = None,
    load: LoadSystem | None = None,
    look: LookAt = look_at,
    stop: threading.Event | None = None,
    first: int | None = None,
) -> Outcome:
    """Make a video for every job that has none yet.

    Videos appear in `out` one by one, each in one step, with a record in `records_folder(out)`. A sample that
    fails is recorded and the run goes on, until three in a row fail alike; the next run tries them again.

    Args:
        jobs: all jobs, also where this process makes only a shard of them.
        settings: the system.
        out: the submission folder.
        shard: this process's part; all if left out.
        overwrite: make videos anew that are there with other settings.
        testset: the test set's folder, which `out` must not lie in.
        similarity: compares faces, for pictures made from a reference; without it the first picture is taken.
        on_progress: called after every sample of every stage.
        load: builds the video system.
        look: reads the videos that commands and servers make, before they count.
        stop: set by whoever wants the run to end after the sample at hand.
        first: make so many of the missing ones at most.

    Raises:
        ModelsMissing: before anything is made.
        SettingsError: likewise.
        OutputInUse: likewise.
        OutputUnusable: likewise, or later where the disk is full.
        SystemUnusable: a command, server or plug-in cannot be used at all.
        CostCapReached: the videos would cost more than was allowed.
        RewriterUnusable: the language model cannot be used at all.
        SameFailureAgain: three samples in a row failed alike.
    """
    part = (shard or Shard()).of(jobs)
    check_output(out, settings.video, videos=len(part), testset=testset)
    found = models_of(settings)
    plan = make_plan(
        jobs, settings, out, revision=revision_of(found), shard=shard or Shard(), overwrite=overwrite
    )
    plan = replace(plan, pending=plan.pending[:first])
    run = Stages(settings, out, found, plan, on_progress, look, stop)
    if plan.pending:
        with output_errors(out):
            write_json(records_folder(out) / "run.json", _description(settings, found))
        try:
            run.prompts()
            with _threads(settings):
                run.references()
                run.pictures(similarity)
                run.videos(load or load_system)
        finally:
            run.finish()
    return Outcome(
        made=tuple(run.made),
        finished_before=plan.finished,
        failed=tuple(run.failed),
        stopped=stop is not None and stop.is_set(),
    )


@contextmanager
def _threads(settings: Settings) -> Iterator[None]:
    """One thread for tiny models: more wait for one another longer than they work."""
    if not settings.tiny:
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _description(settings: Settings, found: dict[str, Found]) -> dict[str, object]:
    return {
        "settings": settings.as_dict(),
        "models": {name: place.revision for name, place in found.items()},
        "versions": {"python": platform.python_version(), **_versions()},
    }


def _versions() -> dict[str, str]:
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return versions
