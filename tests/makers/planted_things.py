"""Things drawn into frames of one colour, and a detector that finds them without a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest
import skimage.data
import timm
from PIL import Image
from scipy import ndimage

from ipvg_eval.core.measurement import ClipInfo, Frames
from ipvg_eval.metrics.subject.boxes import Boxes

COLOURS = {"man": (250, 0, 0), "ball": (0, 0, 250), "object": (0, 250, 0)}
BORDER = 4
SIDE = 56


@dataclass(frozen=True)
class ColourDetector:
    """Finds what `framed` draws: every connected border of a label's colour is one thing."""

    title: str = "colours"
    weights: Mapping[str, str] = field(default_factory=dict)

    def reads_all(self, label: str) -> bool:
        return len(label) <= 20

    def detect(self, pictures: Sequence[Frames], labels: Sequence[str]) -> list[Boxes]:
        return [self._one(picture, labels) for picture in pictures]

    def _one(self, picture: Frames, labels: Sequence[str]) -> Boxes:
        corners, numbers = [], []
        for number, label in enumerate(labels):
            regions, _ = ndimage.label((picture == COLOURS.get(label, (1, 2, 3))).all(axis=2))
            for rows, columns in ndimage.find_objects(regions):
                corners.append([columns.start, rows.start, columns.stop, rows.stop])
                numbers.append(number)
        return Boxes(
            corners=np.array(corners, dtype=np.float64).reshape(-1, 4),
            scores=np.linspace(0.9, 0.5, len(corners)),
            labels=np.array(numbers, dtype=np.int64),
        )


@dataclass(frozen=True)
class ToldDetector:
    """Says what it is told, whatever it sees."""

    boxes: Boxes
    title: str = "told"
    weights: Mapping[str, str] = field(default_factory=dict)

    def reads_all(self, label: str) -> bool:  # noqa: ARG002
        return True

    def detect(self, pictures: Sequence[Frames], labels: Sequence[str]) -> list[Boxes]:  # noqa: ARG002
        return [self.boxes for _ in pictures]


@contextmanager
def quick_dino() -> Iterator[None]:
    """Two blocks of DINOv2 ViT-B/14 in place of twelve: many scenes stay quick.

    With all of its layer scales at 1 random weights tell pictures apart, which they do not at the published
    start of 1e-5.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "ipvg_eval.metrics.subject.dino._build",
            lambda: timm.create_model(
                "vit_base_patch14_dinov2",
                pretrained=False,
                num_classes=0,
                dynamic_img_size=True,
                depth=2,
                init_values=1.0,
            ),
        )
        yield


def framed(label: str, thing: str) -> Frames:
    """A photograph of skimage inside a border of the label's colour, (SIDE, SIDE, 3)."""
    inside = SIDE - 2 * BORDER
    picture = np.empty((SIDE, SIDE, 3), dtype=np.uint8)
    picture[:] = COLOURS[label]
    photograph = Image.fromarray(getattr(skimage.data, thing)()).convert("RGB").resize((inside, inside))
    # Colours of borders must not occur inside.
    picture[BORDER:-BORDER, BORDER:-BORDER] = np.clip(np.asarray(photograph), 10, 240)
    return picture


def scene(*things: tuple[Frames, int, int], ground: int = 128) -> Frames:
    """Framed things on grey, each at (left, top); (120, 200, 3)."""
    picture = np.full((120, 200, 3), ground, dtype=np.uint8)
    for thing, left, top in things:
        picture[top : top + len(thing), left : left + thing.shape[1]] = thing
    return picture


def clip_of(count: int) -> ClipInfo:
    """A clip of a few frames."""
    times = tuple(i / 4 for i in range(count))
    return ClipInfo(frame_count=count, width=200, height=120, fps=4.0, duration=count / 4, times=times)
