"""A pipeline of diffusers whose arguments the settings name."""

from __future__ import annotations

import inspect
from typing import Any

import torch

from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.reference_generator.errors import ModelsMissing, SettingsError
from ipvg_eval.reference_generator.models import Found
from ipvg_eval.reference_generator.pictures import covering
from ipvg_eval.reference_generator.settings import Settings
from ipvg_eval.reference_generator.systems.features import dtype_of, load_loras, place, resolve_device
from ipvg_eval.reference_generator.systems.loading import quiet
from ipvg_eval.reference_generator.systems.system import as_pictures
from ipvg_eval.reference_generator.systems.templates import common_fields, filled
from ipvg_eval.reference_generator.task import Clip, System, Task


class AnyPipeline(System):
    """Calls a pipeline with the arguments of `diffusers.arguments`; `{ref}` and `{refs}` are pictures there.

    A generator with the sample's seed and `output_type` go with them.

    Raises:
        SettingsError: diffusers has no such pipeline, or it takes no such argument.
        ModelsMissing: its files are not what they should be.
    """

    def __init__(self, settings: Settings, found: dict[str, Found]) -> None:
        self._settings = settings
        quiet()
        kind = _pipeline_class(settings.diffusers.pipeline)
        self._accepted = set(inspect.signature(kind.__call__).parameters) - {"self"}
        for name in settings.diffusers.arguments:
            if name not in self._accepted:
                raise SettingsError(
                    f"{kind.__name__} takes no argument {name!r}", hint=did_you_mean(name, self._accepted)
                )
        folder = found["video"].path
        device = resolve_device(settings.runtime.device)
        try:
            self._pipeline: Any = kind.from_pretrained(
                folder, dtype=dtype_of(settings), local_files_only=True
            )
        except (OSError, ValueError) as error:
            raise ModelsMissing(
                f"the video model cannot be loaded ({error})",
                path=folder,
                hint="Fetch it again, or check model.path and diffusers.pipeline.",
            ) from error
        load_loras(self._pipeline, settings, found)
        place(self._pipeline, settings, device)

    @torch.inference_mode()
    def make(self, task: Task) -> Clip:
        """See `System.make`."""
        video = self._settings.video
        pictures = [covering(picture, video.width, video.height) for picture in task.references]
        fields = common_fields(task, self._settings) | {"ref": pictures[0], "refs": pictures}
        arguments = filled(self._settings.diffusers.arguments, fields)
        own: dict[str, Any] = {
            "generator": torch.Generator("cpu").manual_seed(task.seed),
            "output_type": "np",
            "callback_on_step_end": self._stepped,
        }
        answer = self._pipeline(**{k: v for k, v in own.items() if k in self._accepted} | arguments)
        return Clip(pictures=as_pictures(answer.frames))

    def _stepped(self, pipeline: Any, index: int, _time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        if self.on_step is not None:
            self.on_step(index + 1, max(index + 1, int(getattr(pipeline, "num_timesteps", 0))))
        return tensors


def _pipeline_class(name: str) -> Any:
    import diffusers

    kind = getattr(diffusers, name, None)
    if not (isinstance(kind, type) and issubclass(kind, diffusers.DiffusionPipeline)):
        known = [one for one in dir(diffusers) if one.endswith("Pipeline")]
        raise SettingsError(
            f"diffusers {diffusers.__version__} has no pipeline {name!r}", hint=did_you_mean(name, known)
        )
    return kind
