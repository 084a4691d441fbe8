"""What a dry run says of a run's time, memory and disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipvg_eval.reference_generator.estimate import Estimate
    from ipvg_eval.reference_generator.machine import Machine
    from ipvg_eval.reference_generator.settings import Settings


def plan_text(settings: Settings, guess: Estimate, here: Machine) -> str:
    """Several lines for people."""
    video = settings.video
    tiled = " with runtime.vae_tiling" if settings.runtime.vae_tiling else ""
    memory = ", ".join(f"{offload} {gigabytes:.1f}" for offload, gigabytes in guess.memory_gb.items())
    return "\n".join(
        (
            f"{settings.name}: {settings.title}",
            f"{guess.videos} videos of {video.width}x{video.height}, {video.frames} frames a pass at "
            f"{video.fps:g} frames/s, {settings.sampling.steps} steps",
            f"{big(guess.parameters)} parameters, {guess.tokens} tokens, {guess.forwards} x "
            f"{guess.tflop_per_forward:.3g} TFLOP a step",
            _time(settings, guess, here),
            f"GB on the device by runtime.offload{tiled}: {memory}; {guess.host_gb:.1f} GB of main memory a "
            "process",
            f"On disk: models {guess.models_gb:.0f} GB, videos {guess.videos_gb:.2g} GB",
        )
    )


def _time(settings: Settings, guess: Estimate, here: Machine) -> str:
    each, hours = guess.seconds_per_video, guess.hours(here.gpus)
    if guess.seconds is None or each is None or hours is None:
        return f"Time: unknown, {here.basis}; --gpu NAME plans for a GPU that is not here"
    parts = ", ".join(f"{part} {duration(seconds)}" for part, seconds in guess.seconds.items())
    many = f" on {here.gpus} of them" if here.gpus > 1 else ""
    basis = "at runtime.tflops" if settings.runtime.tflops else here.basis
    rewriting = "" if settings.prompt.rewriter == "none" else "; rewriting prompts is not counted"
    return (
        f"Time on {here.name}: {duration(each)} a video ({parts}), {duration(hours * 3600)} together{many}; "
        f"{basis}{rewriting}"
    )


def big(count: int) -> str:
    """A count in words."""
    for size, unit in ((1e9, "billion"), (1e6, "million")):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count:,}"


def duration(seconds: float) -> str:
    """A time in words."""
    if seconds < 1:
        return "less than a second"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
