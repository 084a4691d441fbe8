"""References cut out of their background, so that none of it bleeds into the video's first frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ipvg_eval.reference_generator.errors import ModelsMissing
from ipvg_eval.reference_generator.settings import Settings

PERSON = "person"
_PEOPLE = frozenset({"man", "woman", "boy", "girl", "child", "baby", "people", "human", "face", PERSON})


def wanted_label(said: str | None) -> str:
    """What a segmentation model calls a subject: the last word of its label, "person" for people."""
    word = (said or PERSON).casefold().split()[-1] if (said or PERSON).split() else PERSON
    return PERSON if word in _PEOPLE else word


def cut_out(picture: Image.Image, segments: Iterable[Mapping[str, Any]], label: str) -> Image.Image | None:
    """The picture with white in place of everything but what bears the label; None if nothing does.

    Args:
        picture: any.
        segments: as transformers gives them, each with a `label` and a `mask`, a grey picture as large.
        label: one word.
    """
    found = np.zeros((picture.height, picture.width), dtype=bool)
    for segment in segments:
        if label in segment["label"].casefold().replace("-", " ").split():
            found |= np.asarray(segment["mask"].convert("L")) > 127
    if not found.any():
        return None
    pixels = np.where(found[..., None], np.asarray(picture.convert("RGB")), 255)
    return Image.fromarray(pixels.astype(np.uint8))


class Segmenter:
    """An image-segmentation model of transformers.

    Args:
        folder: the model.
        settings: the system.

    Raises:
        ModelsMissing: it cannot be loaded.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        from transformers import pipeline

        from ipvg_eval.reference_generator.systems.features import resolve_device
        from ipvg_eval.reference_generator.systems.loading import quiet

        quiet()
        try:
            self._model: Any = pipeline(
                "image-segmentation", model=str(folder), device=resolve_device(settings.runtime.device)
            )
        except (OSError, ValueError, KeyError) as error:
            raise ModelsMissing(
                f"the segmentation model cannot be loaded ({error})",
                path=folder,
                hint="Fetch it again, or check --set references.path.",
            ) from error

    def cut_out(self, picture: Image.Image, label: str) -> Image.Image | None:
        """See `cut_out`."""
        return cut_out(picture, self._model(picture), label)

    def close(self) -> None:
        """Drop the model, so that its memory can be used by the next stage."""
        self._model = None
