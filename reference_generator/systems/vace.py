"""Wan-VACE with a reference, with or without identity guidance."""

from __future__ import annotations

from typing import Any

import torch

from ipvg_eval.reference_generator.settings import Settings
from ipvg_eval.reference_generator.systems.features import transformers_of
from ipvg_eval.reference_generator.systems.identity_guidance import paper_form
from ipvg_eval.reference_generator.systems.passes import Pass
from ipvg_eval.reference_generator.systems.system import VideoSystem, as_pictures
from ipvg_eval.reference_generator.task import Task
from ipvg_eval.reference_generator.video_file import Pictures


class VaceSystem(VideoSystem):
    """VACE. A longer video goes on from given frames, which VACE is trained to keep."""

    def __init__(self, pipeline: Any, settings: Settings) -> None:
        super().__init__(pipeline, settings)
        identity, guidance = settings.identity, settings.sampling.guidance
        scale = identity.scale
        if identity.form == "code":
            guidance, scale = paper_form(guidance, scale)
        self._guidance = guidance
        self._experts = transformers_of(pipeline)
        for transformer in self._experts:
            transformer.identity_scale = scale
            transformer.skip_blocks = identity.skip_blocks

    def latent_references(self, task: Task) -> int:
        """One latent frame per picture."""
        return len(task.references)

    def _pass(self, task: Task, part: Pass, known: Pictures | None, options: dict[str, Any]) -> Pictures:
        for transformer in self._experts:
            transformer.references = len(task.references)
        extension = {} if known is None else _extension(known, part.frames)
        answer = self.pipeline(
            **{**self._sampling(part), "guidance_scale": self._guidance},
            **self._low_noise(),
            # The pipeline puts each picture in front of those before it; VACE's own code keeps their order.
            reference_images=list(reversed(task.references)),
            conditioning_scale=self.settings.sampling.conditioning_scale,
            **extension,
            **options,
        )
        return as_pictures(answer.frames)


def _extension(known: Pictures, frames: int) -> dict[str, torch.Tensor]:
    """VACE's task of going on: the known frames with mask 0, then grey ones with mask 1."""
    count, height, width, _ = known.shape
    video = torch.full((1, frames, 3, height, width), 0.5)
    video[0, :count] = torch.from_numpy(known).permute(0, 3, 1, 2).float() / 255
    mask = torch.ones_like(video)
    mask[0, :count] = 0
    return {"video": video, "mask": mask}
