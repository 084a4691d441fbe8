"""`ipvg-eval generate`: baseline systems that submit like a team."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from ipvg_eval.cli.consoles import STDERR, STDOUT, listing
from ipvg_eval.cli.made_videos import closer_look
from ipvg_eval.core.errors import ExitCode
from ipvg_eval.reference_generator.plan_text import big, duration, plan_text

if TYPE_CHECKING:
    from ipvg_eval.reference_generator.job import Job, Shard
    from ipvg_eval.reference_generator.picture_stage import Similarity
    from ipvg_eval.reference_generator.run import Outcome
    from ipvg_eval.reference_generator.run import Progress as Step
    from ipvg_eval.reference_generator.settings import Settings
    from ipvg_eval.testset import TestSet

_LOG_EVERY = 30.0
_SHOWN = 10


def _list_systems(wanted: bool) -> None:
    if not wanted:
        return
    from ipvg_eval.reference_generator.estimate import estimate
    from ipvg_eval.reference_generator.preset import load_settings, preset_names

    table = Table("System", "Parameters", "GB at once", "GB with group offload", "What it is")
    for name in preset_names():
        settings = load_settings(name)
        if settings.model.architecture is None:
            table.add_row(name, "?", "?", "?", escape(settings.title))
            continue
        guess = estimate(settings, [], tflops=None)
        saving = load_settings(name, ["runtime.offload=group", "runtime.vae_tiling=true"])
        small = estimate(saving, [], tflops=None).device_gb
        numbers = (big(guess.parameters), f"{guess.device_gb:.0f}", f"{small:.0f}")
        table.add_row(name, *numbers, escape(settings.title))
    _print_table(table)
    raise typer.Exit


def generate(
    testset: Annotated[Path, typer.Argument(help="Test set folder, or its eval.json.")],
    system: Annotated[str, typer.Option(help="A shipped preset (see --list), or a .yaml file.")],
    out: Annotated[Path, typer.Option(help="Submission folder to fill.")],
    limit: Annotated[int | None, typer.Option(min=1, help="Make the first N videos only.")] = None,
    first: Annotated[
        int | None,
        typer.Option(min=1, help="Make N of the videos that are missing, to look at them before the night."),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, such as sampling.steps=20."),
    ] = None,
    prompts: Annotated[
        Path | None,
        typer.Option(
            help="Prompts that are rewritten already: a JSON line per sample, or TPIGE's published answers."
        ),
    ] = None,
    gpu: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[xN]", help="Plan for GPUs that are not here, such as H100x8; make nothing."
        ),
    ] = None,
    anyway: Annotated[bool, typer.Option("--anyway", help="Start even if memory seems too small.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the estimate and the list of videos; make nothing.")
    ] = False,
    shard: Annotated[
        str | None,
        typer.Option(metavar="I/N", help="Make every N-th video only; else RANK and WORLD_SIZE say so."),
    ] = None,
    tiny: Annotated[
        bool, typer.Option("--tiny", help="The same system from tiny random models: noise, in seconds.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Make videos anew that other settings made.")
    ] = False,
    _list: Annotated[
        bool,
        typer.Option("--list", callback=_list_systems, is_eager=True, help="Print the shipped presets."),
    ] = False,
) -> None:
    """Make a baseline's videos for a test set. Run it again to go on after an interruption."""
    from ipvg_eval.reference_generator.errors import DoesNotFit
    from ipvg_eval.reference_generator.job import Shard
    from ipvg_eval.reference_generator.models import find_models
    from ipvg_eval.reference_generator.preset import RENAMED, load_settings
    from ipvg_eval.testset import load_testset

    if system in RENAMED:
        STDERR.print(f"{system} is now called {RENAMED[system]}.", markup=False)
    settings = load_settings(system, changes or [], tiny=tiny)
    part = Shard.parse(shard) if shard is not None else Shard.from_environment()
    loaded = load_testset(testset)
    jobs = _jobs(loaded)[:limit]
    if prompts is not None:
        from ipvg_eval.reference_generator.rewriting.given import with_given_prompts

        jobs = with_given_prompts(jobs, prompts)
    _warn(loaded)
    problem = _plan(settings, part.of(jobs), gpu)
    if dry_run or gpu is not None:
        if problem is not None:
            STDERR.print(f"[yellow]warning:[/] {escape(problem)}", soft_wrap=True)
        _print_jobs(part.of(jobs), settings)
        return
    find_models(
        settings
    )  # before memory and face networks, so that everything missing of a system comes first
    if problem is not None and not anyway:
        raise DoesNotFit(problem, hint="The estimate is rough: --anyway starts all the same.")
    outcome = _make(jobs, settings, out, part, overwrite, loaded.root, first)
    _print_outcome(outcome, out, settings)
    if first is not None:
        _print_rest(outcome, len(part.of(jobs)))
    if outcome.stopped:
        raise typer.Exit(ExitCode.INTERRUPTED)
    if outcome.failed:
        raise typer.Exit(ExitCode.SOME_FAILED)


def _jobs(testset: TestSet) -> list[Job]:
    from ipvg_eval.reference_generator.job import Job

    return [
        Job(
            id=sample.id,
            prompt=sample.prompt,
            references=tuple(reference.path for reference in sample.references),
            video=sample.video,
            timeline=sample.timeline,
            labels=tuple(reference.label for reference in sample.references),
        )
        for sample in testset.samples
    ]


def _warn(testset: TestSet) -> None:
    for finding in testset.findings:
        STDERR.print(f"[yellow]warning:[/] {escape(f'{finding.path}: {finding.message}')}", soft_wrap=True)


def _plan(settings: Settings, jobs: Sequence[Job], gpu: str | None) -> str | None:
    """Print what the run takes; say what does not fit."""
    from ipvg_eval.reference_generator.estimate import estimate
    from ipvg_eval.reference_generator.gpus import named_gpus
    from ipvg_eval.reference_generator.machine import check_fit, machine, planned_machine

    if settings.model.architecture is None:
        STDERR.print(_unknown_text(settings, jobs), markup=False, soft_wrap=True)
        return None
    here = planned_machine(*named_gpus(gpu)) if gpu is not None else machine(settings)
    guess = estimate(settings, jobs, tflops=here.tflops)
    STDERR.print(plan_text(settings, guess, here), markup=False, soft_wrap=True)
    if settings.tiny:
        STDERR.print("TINY RANDOM MODELS: the videos are noise.", style="bold yellow")
    return check_fit(guess, here, settings)


def _unknown_text(settings: Settings, jobs: Sequence[Job]) -> str:
    video, http = settings.video, settings.http
    text = (
        f"{settings.name}: {settings.title}\n{len(jobs)} videos of {video.width}x{video.height}, "
        f"{video.frames} frames at {video.fps:g} frames/s\n"
        f"How much time and memory a system of kind {settings.system} takes is not known here."
    )
    if settings.system == "http" and http.price:
        cap = "without a cap" if http.cost_cap is None else f"the cap is {http.cost_cap:g}"
        text += f" At {http.price:g} a video: {http.price * len(jobs):g} for all of them; {cap}."
    return text


def _print_jobs(jobs: Sequence[Job], settings: Settings) -> None:
    from ipvg_eval.reference_generator.errors import ModelsMissing
    from ipvg_eval.reference_generator.job import sample_seed
    from ipvg_eval.reference_generator.models import find_models

    table = Table("Sample", "Video", "Seed", "References", "Timeline", "Prompt")
    for job in jobs:
        seed = str(sample_seed(settings, job.id))
        names = ", ".join(path.name for path in job.references)
        prompt = job.prompt if len(job.prompt) <= 60 else job.prompt[:59] + "…"
        table.add_row(*map(escape, (job.id, job.video, seed, names, "yes" if job.timeline else "", prompt)))
    _print_table(table)
    try:
        find_models(settings)
    except ModelsMissing as error:
        STDERR.print(f"[yellow]warning:[/] {escape(str(error))}", soft_wrap=True)
        STDERR.print(escape(error.hint or ""), soft_wrap=True)


def _make(
    jobs: Sequence[Job],
    settings: Settings,
    out: Path,
    part: Shard,
    overwrite: bool,
    testset: Path,
    first: int | None,
) -> Outcome:
    from ipvg_eval.reference_generator.run import generate as generate_all
    from ipvg_eval.reference_generator.stopping import stop_on_interrupt

    similarity = _face_similarity(settings)
    with _progress() as on_progress, closer_look() as look, stop_on_interrupt(_say_stopping) as stop:
        return generate_all(
            jobs,
            settings,
            out,
            shard=part,
            overwrite=overwrite,
            testset=testset,
            similarity=similarity,
            on_progress=on_progress,
            look=look,
            stop=stop,
            first=first,
        )


def _say_stopping() -> None:
    STDERR.print("\nThe video at hand is finished, then the run stops. Ctrl-C again stops at once.")


def _face_similarity(settings: Settings) -> Similarity | None:
    """ArcFace on the largest face, for systems that make pictures; its weights must be here."""
    if settings.picture.use == "none" or settings.tiny:
        return None
    import numpy as np

    from ipvg_eval.metrics.device import resolve_device
    from ipvg_eval.metrics.faces import arcface, scrfd
    from ipvg_eval.metrics.faces.face_crops import face_crops
    from ipvg_eval.metrics.runtime import Runtime
    from ipvg_eval.metrics.weights import WeightStore

    runtime = Runtime(device=resolve_device(settings.runtime.device), weights=WeightStore())
    detector, recogniser = scrfd.Scrfd(runtime), arcface.ArcFace(runtime)

    def similarity(reference: object, picture: object) -> float | None:
        faces = [face_crops(detector, np.asarray(image), retry="padded") for image in (reference, picture)]
        if faces[0] is None or faces[1] is None:
            return None
        one, other = recogniser.embed(np.stack([face.arc for face in faces if face is not None]))
        return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))

    return similarity


@contextmanager
def _progress() -> Iterator[Callable[[Step], None]]:
    """A bar with the time left; a line every half minute where stderr is no terminal."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total}"),
        TimeRemainingColumn(),
        console=STDERR,
        disable=not STDERR.is_terminal,
    )
    tasks = {}
    last = time.monotonic()

    def update(step: Step) -> None:
        nonlocal last
        if step.stage not in tasks:
            tasks[step.stage] = bar.add_task(step.stage, total=step.total)
        at = f", step {step.step[0]} of {step.step[1]}" if step.step else ""
        bar.update(tasks[step.stage], completed=step.through, description=step.stage + at)
        finished = step.done == step.total and step.stage == "videos"
        if not STDERR.is_terminal and (finished or time.monotonic() - last >= _LOG_EVERY):
            last = time.monotonic()
            left = f", about {duration(step.seconds_left)} left" if step.seconds_left else ""
            failed = f", {step.failed} failed" if step.failed else ""
            STDERR.print(f"{step.stage}: {step.done} of {step.total}{at}{failed}{left}", markup=False)

    with bar:
        yield update


def _print_outcome(outcome: Outcome, out: Path, settings: Settings) -> None:
    from ipvg_eval.reference_generator.record import records_folder

    before = f", {outcome.finished_before} were there" if outcome.finished_before else ""
    failed = f", {len(outcome.failed)} failed" if outcome.failed else ""
    STDOUT.print(f"{len(outcome.made)} videos made{before}{failed}: {out}", markup=False, soft_wrap=True)
    STDOUT.print(f"How each was made: {records_folder(out) / 'index.html'}", markup=False, soft_wrap=True)
    for record in outcome.failed[:_SHOWN]:
        STDERR.print(f"[red]failed:[/] {escape(f'{record.sample}: {record.reason}')}", soft_wrap=True)
    if len(outcome.failed) > _SHOWN:
        STDERR.print(f"... and {len(outcome.failed) - _SHOWN} more.", markup=False)
    if any(record.kind == "out-of-memory" for record in outcome.failed):
        from ipvg_eval.reference_generator.estimate import memory_advice

        STDERR.print(escape(memory_advice(settings)), soft_wrap=True)


def _print_rest(outcome: Outcome, wanted: int) -> None:
    """How long what is left would take, by the videos made now."""
    left = wanted - outcome.finished_before - len(outcome.made)
    if not outcome.made or left <= 0:
        return
    each = sum(sum(record.seconds.values()) for record in outcome.made) / len(outcome.made)
    STDOUT.print(
        f"{left} are left, about {duration(each * left)} at this rate; the same command without --first goes "
        "on.",
        markup=False,
        soft_wrap=True,
    )


def _print_table(table: Table) -> None:
    listing().print(table)
