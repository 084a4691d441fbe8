"""Phantom-Wan: references as the last latent frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image

from ipvg_eval.reference_generator.pictures import fitted
from ipvg_eval.reference_generator.settings import Settings
from ipvg_eval.reference_generator.systems.identity_guidance import paper_form
from ipvg_eval.reference_generator.systems.passes import Pass
from ipvg_eval.reference_generator.systems.system import VideoSystem, as_pictures
from ipvg_eval.reference_generator.task import Task
from ipvg_eval.reference_generator.video_file import Pictures


class PhantomSystem(VideoSystem):
    """Phantom. It knows no way to go on from frames, so a video lasts one pass at most."""

    can_extend = False
    references_last = True

    def __init__(self, pipeline: Any, settings: Settings) -> None:
        super().__init__(pipeline, settings)
        transformer, identity = pipeline.transformer, settings.identity
        transformer.image_guidance = settings.phantom.image_guidance
        transformer.text_guidance = self.guidance = settings.sampling.guidance
        if identity.form == "code":
            self.guidance = paper_form(self.guidance, identity.scale)[0]
        transformer.identity_scale = identity.scale
        transformer.skip_blocks = identity.skip_blocks

    def latent_references(self, task: Task) -> int:
        """One latent frame per picture, or the model's fixed number."""
        return self.settings.phantom.slots or len(task.references)

    def _pass(self, task: Task, part: Pass, known: Pictures | None, options: dict[str, Any]) -> Pictures:
        assert known is None
        transformer, extra = self.pipeline.transformer, 4 * self.latent_references(task)
        transformer.references = self.encoded(task.references)
        try:
            answer = self.pipeline(
                **{
                    **self._sampling(part),
                    "num_frames": part.frames + extra,
                    "guidance_scale": self.guidance,
                },
                **options,
            )
        finally:
            transformer.references = None
        return as_pictures(answer.frames)[: part.frames]

    def encoded(self, references: tuple[Image.Image, ...]) -> torch.Tensor:
        """Latents of the pictures, each fitted into the video's frame over white.

        Returns:
            (1, channels, n, h, w), normalised as the video's latents are; empty places are zero.
        """
        video, vae = self.settings.video, self.pipeline.vae
        device = self.pipeline._execution_device
        mean, deviation = (
            torch.tensor(values, device=device).view(1, -1, 1, 1, 1)
            for values in (vae.config.latents_mean, vae.config.latents_std)
        )
        latents = []
        for picture in references:
            values = np.asarray(fitted(picture, video.width, video.height), dtype=np.float32)
            pixels = torch.from_numpy(values / 127.5 - 1).permute(2, 0, 1)[None, :, None]
            latents.append(vae.encode(pixels.to(device, vae.dtype)).latent_dist.mode().float())
        found = (torch.cat(latents, 2) - mean) / deviation
        empty = max(0, (self.settings.phantom.slots or 0) - len(references))
        return torch.nn.functional.pad(found, (0, 0, 0, 0, 0, empty))
