"""Pictures made from a reference: several tries, and the one whose face fits best."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ipvg_eval.reference_generator.settings import Settings
from ipvg_eval.reference_generator.video_file import Pictures

_NOTES = "notes"

Similarity = Callable[[Pictures, Pictures], float | None]
"""Face similarity of reference and made picture, both (H, W, 3) RGB uint8; None where a face is missing."""

DrawPicture = Callable[[Image.Image, str, int], Image.Image]
"""A picture from a reference, a prompt and a seed."""


@dataclass(frozen=True, kw_only=True)
class MadePicture:
    """The outcome of all tries.

    Attributes:
        picture: the best one, or None if no try showed a face.
        similarity: of the best one.
        attempts: how many were made.
    """

    picture: Image.Image | None
    similarity: float | None
    attempts: int


def best_picture(
    reference: Image.Image,
    prompt: str,
    seed: int,
    *,
    draw: DrawPicture,
    similarity: Similarity,
    attempts: int,
    threshold: float,
) -> MadePicture:
    """Draw until a picture is similar enough; keep the best.

    Args:
        reference: of the face.
        prompt: for the picture model.
        seed: of the first try; each further one counts up.
        draw: makes one picture.
        similarity: compares faces.
        attempts: how many tries at most.
        threshold: similarity that ends the trying.
    """
    best, best_value = None, None
    made = 0
    for attempt in range(attempts):
        picture = draw(reference, prompt, seed + attempt)
        value = similarity(np.asarray(reference), np.asarray(picture.convert("RGB")))
        made += 1
        if value is not None and (best_value is None or value > best_value):
            best, best_value = picture, value
        if best_value is not None and best_value >= threshold:
            break
    return MadePicture(picture=best, similarity=best_value, attempts=made)


def picture_notes(made: MadePicture, threshold: float, *, compared: bool) -> tuple[str, ...]:
    """What a reader must know about a picture.

    Args:
        made: the outcome.
        threshold: similarity that was wished for.
        compared: whether faces were compared at all.
    """
    if not compared:
        return ("the picture's face was not compared with the reference",)
    if made.similarity is None:
        return (f"no face in {made.attempts} pictures; the reference itself is used",)
    if made.similarity < threshold:
        return (f"face similarity of the picture is {made.similarity:.2f} at best",)
    return ()


def save_picture(path: Path, picture: Image.Image, notes: Sequence[str]) -> None:
    """Write a PNG with notes inside, in one step."""
    inside = PngInfo()
    inside.add_itxt(_NOTES, json.dumps(list(notes), ensure_ascii=False))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.png")
    picture.convert("RGB").save(temporary, pnginfo=inside)
    temporary.replace(path)


def saved_notes(path: Path) -> tuple[str, ...]:
    """The notes inside a PNG that `save_picture` wrote."""
    with Image.open(path) as file:
        file.load()
        return tuple(json.loads(file.info.get(_NOTES, "[]")))


class PictureModel:
    """An image-editing pipeline of diffusers.

    Args:
        folder: in diffusers' layout; its own class must take a picture and a text.
        settings: the system.
    """

    def __init__(self, folder: Any, settings: Settings) -> None:
        from diffusers import DiffusionPipeline

        from ipvg_eval.reference_generator.errors import ModelsMissing
        from ipvg_eval.reference_generator.systems.features import dtype_of, resolve_device
        from ipvg_eval.reference_generator.systems.loading import quiet

        quiet()
        self._settings = settings
        try:
            self._pipeline: Any = DiffusionPipeline.from_pretrained(
                folder, dtype=dtype_of(settings), local_files_only=True
            )
        except (OSError, ValueError) as error:
            raise ModelsMissing(
                f"the picture model cannot be loaded ({error})",
                path=folder,
                hint="Fetch it again, or check --set picture.path.",
            ) from error
        self._accepted = self._call_parameters()
        if "image" not in self._accepted:
            raise ModelsMissing(
                f"{type(self._pipeline).__name__} takes no picture",
                path=folder,
                hint="Name an image-editing model with --set picture.repo, such as Qwen/Qwen-Image-Edit.",
            )
        self._pipeline.set_progress_bar_config(disable=True)
        device = resolve_device(settings.runtime.device)
        if settings.runtime.offload != "none" and device.type != "cpu":
            self._pipeline.enable_model_cpu_offload(device=device)
        else:
            self._pipeline.to(device)

    def draw(self, reference: Image.Image, prompt: str, seed: int) -> Image.Image:
        """One picture, as large as the video."""
        import torch

        wanted, video = self._settings.picture, self._settings.video
        scale = "true_cfg_scale" if "true_cfg_scale" in self._accepted else "guidance_scale"
        options: dict[str, Any] = {
            "height": video.height,
            "width": video.width,
            scale: wanted.guidance,
            "strength": wanted.strength,
            "negative_prompt": self._settings.sampling.negative_prompt or " ",
        }
        options = {
            key: value for key, value in options.items() if key in self._accepted and value is not None
        }
        takes_size = "height" in self._accepted
        picture = reference if takes_size else reference.resize((video.width, video.height))
        answer = self._pipeline(
            image=picture,
            prompt=prompt,
            num_inference_steps=wanted.steps,
            generator=torch.Generator("cpu").manual_seed(seed % 2**63),
            **options,
        )
        drawn: Image.Image = answer.images[0]
        return drawn

    def close(self) -> None:
        """Drop the model, so that its memory can be used by the next stage."""
        self._pipeline = None

    def _call_parameters(self) -> set[str]:
        import inspect

        return set(inspect.signature(type(self._pipeline).__call__).parameters)
