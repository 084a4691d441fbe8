"""`ipvg-eval score`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ipvg_eval.cli.consoles import STDERR, STDOUT
from ipvg_eval.cli.decoding import (
    MEMORY,
    SECONDS,
    BudgetOfSubmission,
    DecoderMemory,
    Decoders,
    DecoderSeconds,
    RequireConfinement,
)
from ipvg_eval.cli.log_to import LogStep, LogTo, log_runs, open_trackers
from ipvg_eval.core.errors import ExitCode, UsageError
from ipvg_eval.core.file_names import folder_name
from ipvg_eval.core.limits import ProcessLimits
from ipvg_eval.metrics.protocols import DEFAULT_PROTOCOL
from ipvg_eval.metrics.runtime import DEFAULT_BATCH_SIZE, Dtype
from ipvg_eval.metrics.timing import Stopwatch
from ipvg_eval.submission.address import without_secrets

if TYPE_CHECKING:
    from ipvg_eval.core.run import DeviceInfo
    from ipvg_eval.results import Run
    from ipvg_eval.results.profile import Profile
    from ipvg_eval.results.references import ReferenceFace
    from ipvg_eval.scoring import Recipe, Scorer
    from ipvg_eval.scoring.score import Engine
    from ipvg_eval.submission import Submission
    from ipvg_eval.testset import TestSet


def score(
    submissions: Annotated[list[str], typer.Argument(help="Folders or zips, or URLs of them; one per team.")],
    testset: Annotated[
        Path | None,
        typer.Option(help="Test set; else $IPVG_TESTSET, else testset/ beside the submission or here."),
    ] = None,
    reference_videos: Annotated[
        Path | None,
        typer.Option(
            help="Talking heads: folder of the real videos, ID.mp4; reference/ in the test set if left out."
        ),
    ] = None,
    protocol: Annotated[str, typer.Option(help="A shipped protocol, or a .yaml file.")] = DEFAULT_PROTOCOL,
    team: Annotated[
        str | None, typer.Option(help="Who is scored; the submission's name if left out.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Run folder; with several submissions, the folder that holds one per team. "
            "runs/TEAM-PROTOCOL if left out."
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Measure the first N samples only.")] = None,
    metrics: Annotated[str | None, typer.Option(help="Measure these only, separated by commas.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:N.")] = "auto",
    dtype: Annotated[Dtype, typer.Option(help="float32, float16 or bfloat16.")] = "float32",
    deterministic: Annotated[
        bool, typer.Option("--deterministic", help="The same bits every time, also on a GPU; slower.")
    ] = False,
    weights: Annotated[
        str | None,
        typer.Option(help="random[:SEED] builds every network with random weights, to try a machine."),
    ] = None,
    frames: Annotated[
        int | None,
        typer.Option(min=1, help="Look at N frames of each video only, for a quick try; marked everywhere."),
    ] = None,
    batch_size: Annotated[
        int, typer.Option(min=1, help="Frames per forward pass, at most.")
    ] = DEFAULT_BATCH_SIZE,
    compiled: Annotated[
        bool,
        typer.Option(
            "--compile", help="Compile the blocks of transformers; worth it for many videos on a GPU."
        ),
    ] = False,
    decoders: Decoders = 2,
    ray: Annotated[
        str | None,
        typer.Option(
            help="Score on a Ray cluster: HOST:PORT; local for one on this machine; auto for $RAY_ADDRESS, "
            "else local."
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="With --ray: how many; as many as fit if left out.")
    ] = None,
    gpus_per_worker: Annotated[
        float | None,
        typer.Option(min=0.0, help="With --ray: GPUs of each, perhaps a share; one if left out."),
    ] = None,
    decoder_memory: DecoderMemory = MEMORY,
    decoder_seconds: DecoderSeconds = SECONDS,
    budget: BudgetOfSubmission = None,
    require_confinement: RequireConfinement = False,
    profile: Annotated[
        bool, typer.Option("--profile", help="Show where the time went, and write it to profile.csv.")
    ] = False,
    log_to: LogTo = None,
    log_step: LogStep = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summaries as JSON.")] = False,
) -> None:
    """Measure every video of a submission. Run it again to go on after an interruption."""
    from ipvg_eval.cli.progress import sample_progress
    from ipvg_eval.cli.testset_warnings import loaded_with_warnings
    from ipvg_eval.scoring import Recipe
    from ipvg_eval.scoring import score as score_submission
    from ipvg_eval.scoring.score import default_out
    from ipvg_eval.submission import load_submission
    from ipvg_eval.testset import find_testset

    _check_ray_options(ray, workers, gpus_per_worker)
    if ray is not None and profile:
        raise UsageError("--profile looks at one process", hint="Leave out --ray, or --profile.")
    trackers = open_trackers(log_to, log_step)
    loaded = [load_submission(path) for path in submissions]
    place = find_testset(testset, loaded[0].beside)  # before the networks, which take a while
    teams = _teams(loaded, team)
    recipe = Recipe(
        protocol=protocol,
        metrics=metric_names(metrics),
        frames=frames,
        device=device,
        dtype=dtype,
        weights=weights,
        deterministic=deterministic,
        batch_size=batch_size,
        compiled=compiled,
    )
    runs, profiles = [], []
    with _built(recipe, ray, workers, gpus_per_worker) as scorer:
        warn_of_fallbacks(scorer.info.device_info)
        samples = loaded_with_warnings(place, reference_videos)
        faces = _look_at_references(samples, [spec.name for spec in scorer.info.specs])
        for submission, name in zip(loaded, teams, strict=True):
            folder = _folder(out, name, len(loaded)) or default_out(name, scorer.info)
            stopwatch = Stopwatch(scorer.info.device_info.device) if profile else None
            with (
                _saying_what_is_kept(folder),
                sample_progress(name) as on_sample,
                stopwatch.running() if stopwatch is not None else nullcontext(),
            ):
                run = score_submission(
                    submission,
                    testset=samples,
                    recipe=scorer,
                    team=name,
                    out=folder,
                    reference_faces=faces,
                    limit=limit,
                    limits=ProcessLimits(
                        memory_mib=decoder_memory,
                        seconds=decoder_seconds,
                        require_confinement=require_confinement,
                    ),
                    budget=budget,
                    decoders=decoders,
                    command=tuple(without_secrets(word) for word in sys.argv),
                    on_sample=on_sample,
                )
            runs.append(run)
            if stopwatch is not None:
                profiles.append(_profiled(run, stopwatch))
    log_runs(trackers, runs, log_step)
    finish(runs, as_json, profiles)


def _look_at_references(testset: TestSet, metrics: Sequence[str]) -> tuple[ReferenceFace, ...]:
    """Say once per reference picture what face metrics will make of it."""
    if not any(word in name for name in metrics for word in ("identity", "cur_score", "arc_score")):
        return ()
    from ipvg_eval.reference_faces import look_at_reference_faces
    from ipvg_eval.results.references import findings_of

    faces = look_at_reference_faces(testset)
    for finding in findings_of(faces):
        STDERR.print(f"{finding.path}: {finding.message} {finding.action}", markup=False, soft_wrap=True)
    return faces


def _check_ray_options(ray: str | None, workers: int | None, gpus_per_worker: float | None) -> None:
    for option, value in (("--workers", workers), ("--gpus-per-worker", gpus_per_worker)):
        if ray is None and value is not None:
            raise UsageError(f"{option} is for --ray", hint="Add --ray auto, or leave it out.")


@contextmanager
def _built(
    recipe: Recipe, ray: str | None, workers: int | None, gpus_per_worker: float | None
) -> Iterator[Scorer | Engine]:
    if ray is None:
        yield recipe.build()
        return
    from ipvg_eval.cluster import ray_engine

    def say(message: str) -> None:
        STDERR.print(message, markup=False, soft_wrap=True)

    # Ray tells of dead workers on stdout, which is for results.
    with (
        redirect_stdout(sys.stderr),
        ray_engine(recipe, address=ray, workers=workers, gpus_per_worker=gpus_per_worker, say=say) as engine,
    ):
        yield engine


def warn_of_fallbacks(info: DeviceInfo) -> None:
    """Say loudly which networks run on the CPU although another device was asked for."""
    if info.on_the_cpu:
        what = f"on the CPU instead of {info.device}, and slow: {', '.join(info.on_the_cpu)}."
        hint = "Install onnxruntime-gpu in place of onnxruntime."
        STDERR.print(f"[bold red]warning:[/] {what} {hint}", soft_wrap=True)


def metric_names(text: str | None) -> list[str] | None:
    """The names under --metrics, None where it is not given.

    Raises:
        UsageError: it names none.
    """
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise UsageError("--metrics names no metric", hint="Separate names by commas, without spaces.")
    return names


def _teams(submissions: list[Submission], team: str | None) -> list[str]:
    if team is not None and len(submissions) > 1:
        raise UsageError(
            "--team names one team, but several submissions are given",
            hint="Score them one at a time, or name the folders after the teams.",
        )
    from ipvg_eval.submission import team_names

    if team is not None and not team.strip():
        raise UsageError("--team names nobody", hint="Give the team's name, or leave it out.")
    return [team] if team is not None else team_names(submissions)


def _folder(out: Path | None, team: str, submissions: int) -> Path | None:
    return out / folder_name(team) if out is not None and submissions > 1 else out


@contextmanager
def _saying_what_is_kept(folder: Path) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        message = f"Stopped. What is measured is kept in {folder}; run the same command to go on."
        STDERR.print(message, markup=False, soft_wrap=True)
        raise


def _profiled(run: Run, stopwatch: Stopwatch) -> Profile:
    from ipvg_eval.results.profile import make_profile, write_profile

    profile = make_profile(stopwatch)
    write_profile(profile, run.folder.path)
    return profile


def finish(runs: list[Run], as_json: bool, profiles: Sequence[Profile] = ()) -> None:
    """Print runs, with where the time of each went.

    Raises:
        typer.Exit: some samples could not be scored, or a submission has none of its videos.
    """
    from ipvg_eval.cli import tables

    if as_json:
        STDOUT.out_json(tables.to_dict(runs, profiles))
    else:
        tables.print_runs(runs, STDOUT)
        for run in runs:
            tables.print_failures(run, STDERR)
        for run, profile in zip(runs, profiles, strict=False):
            tables.print_profile(profile, run.summary.team, STDERR)
    counts = [run.summary.counts for run in runs]
    if any(count.missing == count.samples for count in counts):
        raise typer.Exit(ExitCode.INVALID)
    if any(count.failed or count.broken for count in counts):
        raise typer.Exit(ExitCode.SOME_FAILED)
