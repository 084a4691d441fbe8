"""A first frame that keeps the face, then image-to-video."""

from __future__ import annotations

from typing import Any

from PIL import Image

from ipvg_eval.reference_generator.pictures import covering
from ipvg_eval.reference_generator.settings import Settings
from ipvg_eval.reference_generator.systems.passes import Pass
from ipvg_eval.reference_generator.systems.system import VideoSystem, as_pictures
from ipvg_eval.reference_generator.task import Task
from ipvg_eval.reference_generator.video_file import Pictures


class DecoupledSystem(VideoSystem):
    """Image-to-video from a first frame. A longer video is chained: each pass starts from the last frame."""

    def __init__(self, pipeline: Any, settings: Settings) -> None:
        super().__init__(pipeline, settings)
        self.overlap = 1

    def _pass(self, task: Task, part: Pass, known: Pictures | None, options: dict[str, Any]) -> Pictures:
        video = self.settings.video
        if known is None:
            picture = covering(task.first_frame or task.references[0], video.width, video.height)
        else:
            picture = Image.fromarray(known[-1])
        answer = self.pipeline(image=picture, **self._sampling(part), **self._low_noise(), **options)
        return as_pictures(answer.frames)
