"""What every open-vocabulary detector offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from PIL import Image

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.subject.boxes import Boxes

LONGEST_SIDE = 2048
"""Pixels; larger pictures are reduced first. The detectors look at 960 and 1333 pixels, but what lies before
that would take memory with the square of the side: a panorama is padded to a square."""


class ObjectDetector(Protocol):
    """Finds things by their names.

    Attributes:
        title: what notes call it.
        weights: sha256 of its weights by name.
    """

    title: str
    weights: Mapping[str, str]

    def reads_all(self, label: str) -> bool:
        """Whether a label fits the text tower; the end of one that does not is cut off."""
        ...

    def detect(self, pictures: Sequence[Frames], labels: Sequence[str]) -> list[Boxes]:
        """What is found in each picture, above the detector's threshold, in no special order.

        Args:
            pictures: (height, width, 3) RGB uint8, all of one size, at least one.
            labels: what is looked for, at least one, none empty, none twice.
        """
        ...


def reduced(picture: Frames) -> tuple[Frames, float]:
    """A picture with no side over `LONGEST_SIDE`, and how many of its pixels one of the new ones stands for.

    Args:
        picture: (height, width, 3) uint8.
    """
    height, width = picture.shape[:2]
    factor = max(height, width) / LONGEST_SIDE
    if factor <= 1.0:
        return picture, 1.0
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC)), factor


def merged(parts: Sequence[Boxes]) -> Boxes:
    """The boxes of one picture from several passes over it; at least one."""
    return Boxes(
        corners=np.concatenate([part.corners for part in parts]),
        scores=np.concatenate([part.scores for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
    )
