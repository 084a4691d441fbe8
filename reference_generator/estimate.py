"""Memory and time of a run, before it starts. Rough: matrix products over an assumed rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ipvg_eval.reference_generator.architectures import Architecture, architecture
from ipvg_eval.reference_generator.job import Job
from ipvg_eval.reference_generator.schedule import timeline_seconds
from ipvg_eval.reference_generator.settings import Settings
from ipvg_eval.reference_generator.systems.registry import kind_of

_BYTES = {"bfloat16": 2, "float16": 2, "float32": 4}
_WEIGHT_BYTES = {"torchao-int8": 1.05, "torchao-fp8": 1.05, "bnb-int8": 1.05, "bnb-nf4": 0.6, "gguf": 0.7}
_GROUPS = 4
_DECODER_BYTES_PER_PIXEL = 15_000
_TILE_PIXELS = 256 * 256
_EFFICIENCY = 0.45
_DENSE_BF16_TFLOPS = {
    "B200": 2250.0,
    "H200": 989.0,
    "H100": 989.0,
    "H800": 989.0,
    "H20": 148.0,
    "A100": 312.0,
    "A800": 312.0,
    "L40S": 362.0,
    "5090": 210.0,
    "4090": 165.0,
    "3090": 71.0,
    "A10": 125.0,
    "L4": 121.0,
    "T4": 65.0,
    "V100": 125.0,
}
_UNKNOWN_GPU_TFLOPS = 200.0


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a run will take.

    Attributes:
        parameters: of the transformers together.
        tokens: of one forward pass.
        forwards: forward passes per denoising step.
        tflop_per_forward: floating-point operations of one forward pass, in 10^12.
        tflops: rate that the time assumes, in TFLOP/s.
        device_gb: peak of the device's memory, in GB.
        host_gb: main memory for what waits there, in GB.
        seconds_per_video: of the jobs' mean.
        videos: how many.
    """

    parameters: int
    tokens: int
    forwards: float
    tflop_per_forward: float
    tflops: float
    device_gb: float
    host_gb: float
    seconds_per_video: float
    videos: int

    @property
    def hours(self) -> float:
        """Of all videos on one device."""
        return self.seconds_per_video * self.videos / 3600


def device_rate(name: str) -> float:
    """Usable TFLOP/s of a GPU by its marketing name: published dense bfloat16 peak times 0.45.

    A name that is not in the table counts as a mid-size GPU.
    """
    for part in sorted(_DENSE_BF16_TFLOPS, key=len, reverse=True):
        if part in name.replace("-", " ").split() or part in name.upper().split("-")[0].split():
            return _DENSE_BF16_TFLOPS[part] * _EFFICIENCY
    return _UNKNOWN_GPU_TFLOPS * _EFFICIENCY


def forwards_per_step(settings: Settings) -> int:
    """Transformer passes per denoising step."""
    return kind_of(settings.system).forwards(settings)


def passes(settings: Settings, frames: int) -> int:
    """How many passes of `video.frames` frames a video of so many frames takes."""
    longest, overlap = settings.video.frames, settings.timeline.overlap
    return 1 if frames <= longest else 1 + math.ceil((frames - longest) / (longest - overlap))


def estimate(settings: Settings, jobs: Sequence[Job], *, tflops: float) -> Estimate:
    """What these jobs will take, with a model whose architecture is known.

    Args:
        settings: the system.
        jobs: the videos that are still to be made.
        tflops: rate of the device; `runtime.tflops` wins.
    """
    assert settings.model.architecture is not None, "ask whether anything is known of the system first"
    model = architecture(settings.model.architecture)
    video, rate = settings.video, settings.runtime.tflops or tflops
    shown = kind_of(settings.system).latent_references
    references = max((len(job.references) for job in jobs), default=1) if shown else 0
    tokens = model.tokens(width=video.width, height=video.height, frames=video.frames, references=references)
    work = model.operations(tokens, settings.sampling.text_length) / 1e12
    forwards = forwards_per_step(settings)
    lengths = [passes(settings, _frames(settings, job)) for job in jobs] or [1]
    denoising = work * forwards * settings.sampling.steps * sum(lengths) / len(lengths) / rate
    device, host = _memory(settings, model, tokens)
    return Estimate(
        parameters=model.parameters * model.experts,
        tokens=tokens,
        forwards=forwards,
        tflop_per_forward=work,
        tflops=rate,
        device_gb=device,
        host_gb=host,
        seconds_per_video=denoising,
        videos=len(jobs),
    )


def _frames(settings: Settings, job: Job) -> int:
    seconds = (
        timeline_seconds(job.timeline) if job.timeline and settings.timeline.mode == "segments" else None
    )
    if seconds is None:
        return settings.video.frames
    return math.ceil(min(seconds, settings.timeline.max_seconds) * settings.video.fps)


def _memory(settings: Settings, model: Architecture, tokens: int) -> tuple[float, float]:
    runtime, video = settings.runtime, settings.video
    size = _BYTES[runtime.dtype]
    per_weight = 1.0 if runtime.fp8_storage else _WEIGHT_BYTES.get(runtime.quantisation, float(size))
    transformer = model.parameters * per_weight / 1e9
    text = model.text_gb * size / 2
    pixels = (
        min(video.width * video.height, _TILE_PIXELS) if runtime.vae_tiling else video.width * video.height
    )
    decoding = model.vae_gb + pixels * _DECODER_BYTES_PER_PIXEL / 1e9
    working = model.activation_bytes(tokens, size) / 1e9
    everything = transformer * model.experts + text + model.vae_gb
    if runtime.offload == "model":
        return max(transformer + working, text, decoding), everything
    if runtime.offload == "group":
        block = transformer / max(1, model.layers + len(model.vace_layers))
        return max(_GROUPS * block + working, decoding), everything
    return everything + max(working, decoding - model.vae_gb), transformer


def memory_advice(settings: Settings) -> str:
    """The settings that lower the peak, those that are not in use yet."""
    runtime = settings.runtime
    steps = []
    if runtime.offload == "none":
        steps.append("--set runtime.offload=model")
    if runtime.offload != "group":
        steps.append("--set runtime.offload=group")
    if not runtime.vae_tiling:
        steps.append("--set runtime.vae_tiling=true")
    if runtime.quantisation == "none" and not runtime.fp8_storage:
        steps.append("--set runtime.fp8_storage=true")
    steps.append("a smaller video.width, video.height or video.frames")
    return "These need less memory: " + ", ".join(steps) + "."
