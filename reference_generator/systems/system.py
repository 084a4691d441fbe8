"""What every video system has in common: texts, passes and pictures."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from ipvg_eval.reference_generator.schedule import frame_events
from ipvg_eval.reference_generator.settings import Settings
from ipvg_eval.reference_generator.systems.colours import colours_matched
from ipvg_eval.reference_generator.systems.features import transformers_of
from ipvg_eval.reference_generator.systems.passes import Pass, plan_passes, whole_frames
from ipvg_eval.reference_generator.systems.timeline_attention import timeline_attention
from ipvg_eval.reference_generator.task import Clip, System, Task
from ipvg_eval.reference_generator.video_file import Pictures


class VideoSystem(System):
    """A video model with its pipeline.

    Args:
        pipeline: a diffusers pipeline on its device.
        settings: the system.
    """

    wants_desk = False
    can_extend = True
    references_last = False
    overlap: int

    def __init__(self, pipeline: Any, settings: Settings) -> None:
        self.pipeline = pipeline
        self.settings = settings
        self.overlap = settings.timeline.overlap
        self._steps = (0, 0)

    @torch.inference_mode()
    def make(self, task: Task) -> Clip:
        """Make one video. Equal tasks give equal pictures on one machine.

        Its length is the preset's, or the timeline's: what one pass cannot hold is made in several, each of
        which goes on from the last frames of the one before.
        """
        frames, notes = self._length(task)
        generator = torch.Generator("cpu").manual_seed(task.seed)
        made: Pictures | None = None
        plan = plan_passes(frames, self.settings.video.frames, self.overlap)
        self._steps = (0, len(plan) * self.settings.sampling.steps)
        for part in plan:
            known = made[-part.known :] if made is not None and part.known else None
            with self._text(task, part) as text:
                pictures = self._pass(task, part, known, {**text, "generator": generator})
            new = pictures[part.known :]
            if known is not None and self.settings.timeline.match_colours:
                new = colours_matched(new, pictures[: part.known], known)
            made = new if made is None else np.concatenate([made, new])
        assert made is not None
        return Clip(pictures=made, notes=notes)

    @abstractmethod
    def _pass(self, task: Task, part: Pass, known: Pictures | None, options: dict[str, Any]) -> Pictures:
        """All frames of one pass, the known ones included."""

    def latent_references(self, task: Task) -> int:
        """Latent frames that hold reference pictures, in front of the video's or, if so said, behind them."""
        del task
        return 0

    def _length(self, task: Task) -> tuple[int, tuple[str, ...]]:
        longest = self.settings.video.frames
        if not task.events:
            return longest, ()
        fps = self.settings.video.fps
        wanted = max(event.end for event in task.events)
        seconds = min(wanted, self.settings.timeline.max_seconds)
        frames = whole_frames(seconds, fps)
        if not self.can_extend:
            frames = min(frames, longest)
        if wanted * fps - frames > 4:
            return frames, (f"the timeline ends at {wanted:g} s, the video at {frames / fps:g} s",)
        return frames, ()

    @contextmanager
    def _text(self, task: Task, part: Pass) -> Iterator[dict[str, Any]]:
        """The pipeline's text arguments for one pass, and attention that fits them."""
        sampling = self.settings.sampling
        if len(task.texts) == 1:
            yield {"prompt": task.texts[0], "negative_prompt": sampling.negative_prompt}
            return
        places = frame_events(
            task.events,
            frames=part.frames,
            fps=self.settings.video.fps,
            first_frame=part.first,
        )
        count = self.latent_references(task)
        # The pictures read the text of the video's nearest frame.
        places = places + places[-1:] * count if self.references_last else places[:1] * count + places
        texts = [self._embedded(text) for text in task.texts]
        with timeline_attention(transformers_of(self.pipeline), places, sampling.text_length):
            yield {
                "prompt_embeds": torch.cat(texts, dim=1),
                "negative_prompt_embeds": self._embedded(sampling.negative_prompt),
            }

    def _embedded(self, text: str) -> torch.Tensor:
        answer: torch.Tensor = self.pipeline.encode_prompt(
            prompt=text,
            do_classifier_free_guidance=False,
            max_sequence_length=self.settings.sampling.text_length,
        )[0]
        return answer

    def _low_noise(self) -> dict[str, Any]:
        """The second expert's guidance, where there is one."""
        two_experts = self.pipeline.config.boundary_ratio is not None
        return {"guidance_scale_2": self.settings.sampling.guidance_low_noise} if two_experts else {}

    def _sampling(self, part: Pass) -> dict[str, Any]:
        video, sampling = self.settings.video, self.settings.sampling
        return {
            "height": video.height,
            "width": video.width,
            "num_frames": part.frames,
            "num_inference_steps": sampling.steps,
            "guidance_scale": sampling.guidance,
            "max_sequence_length": sampling.text_length,
            "output_type": "np",
            "callback_on_step_end": self._stepped,
        }

    def _stepped(self, _pipeline: Any, _index: int, _time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        done, total = self._steps
        self._steps = (done + 1, total)
        if self.on_step is not None:
            self.on_step(*self._steps)
        return tensors


def as_pictures(frames: Any) -> Pictures:
    """A pipeline's (1, n, H, W, 3) answer in [0, 1] as (n, H, W, 3) uint8.

    Raises:
        ValueError: the model answered with values that are no numbers.
    """
    values = np.asarray(frames[0], dtype=np.float32)
    if not np.isfinite(values).all():
        raise ValueError("the video holds values that are no numbers; try runtime.dtype=bfloat16 or float32")
    return (values * 255).round().clip(0, 255).astype(np.uint8)
