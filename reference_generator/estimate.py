"""Time, memory and disk of a run, before it starts. Rough: matrix products over a rate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ipvg_eval.reference_generator.architectures import Architecture, architecture
from ipvg_eval.reference_generator.job import Job
from ipvg_eval.reference_generator.model_settings import RuntimeSettings
from ipvg_eval.reference_generator.models import needs
from ipvg_eval.reference_generator.output_folder import video_bytes
from ipvg_eval.reference_generator.schedule import timeline_seconds
from ipvg_eval.reference_generator.settings import Settings
from ipvg_eval.reference_generator.systems.registry import kind_of

OFFLOADS = ("none", "model", "group")
_BYTES = {"bfloat16": 2, "float16": 2, "float32": 4}
_WEIGHT_BYTES = {"torchao-int8": 1.05, "torchao-fp8": 1.05, "bnb-int8": 1.05, "bnb-nf4": 0.6, "gguf": 0.7}
_GROUPS = 2  # one at work and one on its way
_DECODER_BYTES_PER_PIXEL = 15_000
_TILE_PIXELS = 256 * 256
_VAE_SLOWER = 4  # float32 convolutions beside 16-bit products
_PICTURE_TEXT_TOKENS = 1000


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a run will take.

    Attributes:
        parameters: of the transformers together.
        tokens: of one forward pass.
        forwards: forward passes per denoising step.
        tflop_per_forward: floating-point operations of one forward pass, in 10^12.
        seconds: of one video, by part, the jobs' mean; None without a rate. Rewriting is not counted.
        memory_gb: peak of the device's memory by `runtime.offload`, the other settings as they are.
        device_gb: that of the settings' own.
        host_gb: main memory of one process: for what waits there, or while it loads.
        models_gb: of the files to fetch, as far as their sizes are known.
        videos_gb: of the videos.
        videos: how many.
    """

    parameters: int
    tokens: int
    forwards: int
    tflop_per_forward: float
    seconds: Mapping[str, float] | None
    memory_gb: Mapping[str, float]
    device_gb: float
    host_gb: float
    models_gb: float
    videos_gb: float
    videos: int

    @property
    def seconds_per_video(self) -> float | None:
        """All parts together."""
        return None if self.seconds is None else sum(self.seconds.values())

    def hours(self, gpus: int = 1) -> float | None:
        """Of all videos on so many GPUs, each of which makes whole videos."""
        each = self.seconds_per_video
        return None if each is None else each * math.ceil(self.videos / gpus) / 3600


def forwards_per_step(settings: Settings) -> int:
    """Transformer passes per denoising step."""
    return kind_of(settings.system).forwards(settings)


def passes(settings: Settings, frames: int) -> int:
    """How many passes of `video.frames` frames a video of so many frames takes."""
    longest, overlap = settings.video.frames, settings.timeline.overlap
    return 1 if frames <= longest else 1 + math.ceil((frames - longest) / (longest - overlap))


def estimate(settings: Settings, jobs: Sequence[Job], *, tflops: float | None) -> Estimate:
    """What these jobs will take, with a model whose architecture is known.

    Args:
        settings: the system.
        jobs: the videos that are still to be made.
        tflops: rate of the device, None if unknown; `runtime.tflops` wins.
    """
    assert settings.model.architecture is not None, "ask whether anything is known of the system first"
    model, video = architecture(settings.model.architecture), settings.video
    references = kind_of(settings.system).latent_references(settings, jobs)
    tokens = model.tokens(width=video.width, height=video.height, frames=video.frames, references=references)
    work = model.operations(tokens, settings.sampling.text_length) / 1e12
    rate = settings.runtime.tflops or tflops
    memory = {
        offload: _memory(settings, model, tokens, settings.runtime.model_copy(update={"offload": offload}))
        for offload in OFFLOADS
    }
    device, host = memory[settings.runtime.offload]
    return Estimate(
        parameters=model.parameters * model.experts,
        tokens=tokens,
        forwards=forwards_per_step(settings),
        tflop_per_forward=work,
        seconds=None if rate is None else _seconds(settings, model, jobs, work, rate),
        memory_gb={offload: gigabytes for offload, (gigabytes, _) in memory.items()},
        device_gb=device,
        host_gb=host,
        models_gb=sum(need.size_gb or 0.0 for need in needs(settings).values()),
        videos_gb=len(jobs) * video_bytes(video) / 1e9,
        videos=len(jobs),
    )


def _seconds(
    settings: Settings, model: Architecture, jobs: Sequence[Job], work: float, rate: float
) -> dict[str, float]:
    lengths = [passes(settings, _frames(settings, job)) for job in jobs] or [1]
    count = sum(lengths) / len(lengths)
    video, picture = settings.video, settings.picture
    pixels = video.width * video.height * video.frames
    seconds = {
        "denoising": work * forwards_per_step(settings) * settings.sampling.steps * count / rate,
        "decoding": pixels * model.vae_mflop / 1e6 * count / (rate / _VAE_SLOWER),
    }
    if picture.use != "none" and picture.billions is not None and not settings.tiny:
        # The made picture and the reference as tokens of 16 x 16 pixels, with and without the prompt.
        tokens = 2 * video.width * video.height / 256 + _PICTURE_TEXT_TOKENS
        each = 2 * picture.billions * 1e9 * tokens * 2 * picture.steps / 1e12
        seconds["pictures"] = each * picture.attempts / rate
    return seconds


def _frames(settings: Settings, job: Job) -> int:
    seconds = (
        timeline_seconds(job.timeline) if job.timeline and settings.timeline.mode == "segments" else None
    )
    if seconds is None:
        return settings.video.frames
    return math.ceil(min(seconds, settings.timeline.max_seconds) * settings.video.fps)


def _memory(
    settings: Settings, model: Architecture, tokens: int, runtime: RuntimeSettings
) -> tuple[float, float]:
    """GB of the device and of the machine."""
    video, size = settings.video, _BYTES[runtime.dtype]
    per_weight = 1.0 if runtime.fp8_storage else _WEIGHT_BYTES.get(runtime.quantisation, float(size))
    transformer = model.parameters * per_weight / 1e9
    text = model.text_gb * size / 2
    pixels = video.width * video.height
    tile = min(pixels, _TILE_PIXELS) if runtime.vae_tiling else pixels
    decoding = model.vae_gb + tile * _DECODER_BYTES_PER_PIXEL / 1e9
    working = model.activation_bytes(tokens, size) / 1e9
    everything = transformer * model.experts + text + model.vae_gb
    if runtime.offload == "model":
        return max(transformer + working, text, decoding), everything
    if runtime.offload == "group":
        block = transformer / max(1, model.layers + len(model.vace_layers))
        return max(_GROUPS * block + working, decoding), everything
    return everything + max(working, decoding - model.vae_gb), everything


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
