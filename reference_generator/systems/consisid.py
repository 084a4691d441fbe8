"""ConsisID, with the face features that its pipeline asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from ipvg_eval.reference_generator.errors import ModelsMissing, SystemFailed
from ipvg_eval.reference_generator.models import Found
from ipvg_eval.reference_generator.pictures import covering
from ipvg_eval.reference_generator.settings import Settings
from ipvg_eval.reference_generator.systems.features import dtype_of, load_loras, place, resolve_device
from ipvg_eval.reference_generator.systems.loading import quiet
from ipvg_eval.reference_generator.systems.system import as_pictures
from ipvg_eval.reference_generator.task import Clip, System, Task

_FACE_PACKAGES = ("consisid_eva_clip", "insightface", "facexlib", "cv2")


@dataclass(frozen=True, kw_only=True)
class Face:
    """What the pipeline is told of a face.

    Attributes:
        identity: (1, d) embedding of recognition and CLIP, end to end.
        details: hidden states of CLIP, (1, tokens, d) each.
        picture: the aligned face.
        points: (5, 2) landmarks; None where the model has no use for them.
    """

    identity: torch.Tensor
    details: list[torch.Tensor]
    picture: Image.Image
    points: Any


class ConsisIdSystem(System):
    """One pass of ConsisID; of a timeline it gets the events' texts one after the other.

    Raises:
        ModelsMissing: its files, or a package for faces, are not here.
    """

    wants_desk = False

    def __init__(self, settings: Settings, found: dict[str, Found]) -> None:
        from diffusers import ConsisIDPipeline

        quiet()
        self._settings = settings
        folder, device = found["video"].path, resolve_device(settings.runtime.device)
        try:
            self._pipeline: Any = ConsisIDPipeline.from_pretrained(
                folder, dtype=dtype_of(settings), local_files_only=True
            )
        except (OSError, ValueError) as error:
            raise ModelsMissing(
                f"the video model cannot be loaded ({error})",
                path=folder,
                hint="Fetch it again, or check --set model.path.",
            ) from error
        self._face = (
            _tiny_face(self._pipeline.transformer.config)
            if settings.tiny
            else _face_models(folder, device, dtype_of(settings))
        )
        load_loras(self._pipeline, settings, found)
        place(self._pipeline, settings, device)

    @torch.inference_mode()
    def make(self, task: Task) -> Clip:
        """See `System.make`."""
        video, sampling = self._settings.video, self._settings.sampling
        face = self._face(task.references[0])
        answer = self._pipeline(
            image=face.picture,
            prompt=" ".join(task.texts),
            negative_prompt=sampling.negative_prompt,
            width=video.width,
            height=video.height,
            num_frames=video.frames,
            num_inference_steps=sampling.steps,
            guidance_scale=sampling.guidance,
            max_sequence_length=sampling.text_length,
            id_cond=face.identity,
            id_vit_hidden=face.details,
            kps_cond=face.points,
            generator=torch.Generator("cpu").manual_seed(task.seed),
            output_type="np",
            callback_on_step_end=self._stepped,
        )
        notes = ("the events' texts are one prompt, without times",) if task.events else ()
        return Clip(pictures=as_pictures(answer.frames), notes=notes)

    def _stepped(self, _pipeline: Any, index: int, _time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        if self.on_step is not None:
            self.on_step(index + 1, self._settings.sampling.steps)
        return tensors


def _face_models(folder: Path, device: torch.device, dtype: torch.dtype) -> Callable[[Image.Image], Face]:
    missing = " ".join(package for package in _FACE_PACKAGES if find_spec(package) is None)
    if missing:
        raise ModelsMissing(f"ConsisID's face models need {missing}", hint=f"Install: pip install {missing}")
    from diffusers.pipelines.consisid import consisid_utils

    helper, embedder, clip, main, mean, deviation = consisid_utils.prepare_face_models(
        str(folder), str(device), dtype
    )

    def features(picture: Image.Image) -> Face:
        try:
            identity, details, aligned, points = consisid_utils.process_face_embeddings_infer(
                helper, clip, embedder, mean, deviation, main, str(device), dtype, np.asarray(picture)
            )
        except (RuntimeError, IndexError) as error:
            raise SystemFailed(f"ConsisID finds no face in the reference ({error})") from error
        return Face(identity=identity, details=details, picture=aligned, points=points)

    return features


def _tiny_face(config: Any) -> Callable[[Image.Image], Face]:
    """Mean colours in place of faces, in the shapes that a tiny transformer wants."""

    def features(picture: Image.Image) -> Face:
        def colours(count: int) -> torch.Tensor:
            pixels = np.asarray(picture.convert("L").resize((count, 1)), dtype=np.float32)
            return torch.from_numpy(pixels / 255)

        details = [colours(config.LFE_vit_dim)[None] for _ in range(config.LFE_num_scale)]
        square = covering(picture, 64, 64)
        return Face(identity=colours(config.LFE_id_dim), details=details, picture=square, points=None)

    return features
