"""Detected boxes: which of them count, and the pixels inside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torchvision.ops import nms

from ipvg_eval.core.measurement import Frames

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Boxes:
    """What a detector says of one picture.

    Attributes:
        corners: left, top, right, bottom in pixels of the picture; (n, 4) float64, perhaps outside of it.
        scores: the detector's probabilities, (n,) float64.
        labels: position of each box's label among those asked for, (n,) int64.
    """

    corners: FloatArray
    scores: FloatArray
    labels: npt.NDArray[np.int64]

    @classmethod
    def broken(cls) -> Boxes:
        """What stands for the output of a network that is not a number."""
        return cls(
            corners=np.full((1, 4), np.nan), scores=np.full(1, np.nan), labels=np.zeros(1, dtype=np.int64)
        )

    @property
    def finite(self) -> bool:
        """Whether every corner and score is a finite number."""
        return bool(np.isfinite(self.corners).all() and np.isfinite(self.scores).all())

    def of(self, label: int) -> Boxes:
        """The boxes of one label."""
        mine = self.labels == label
        return Boxes(corners=self.corners[mine], scores=self.scores[mine], labels=self.labels[mine])


def pixel_boxes(corners: FloatArray, *, height: int, width: int) -> npt.NDArray[np.int64]:
    """Whole pixels that boxes touch, cut at the picture's border.

    Args:
        corners: (n, 4) left, top, right, bottom; entries that are not finite make the box empty.
        height: of the picture.
        width: of the picture.

    Returns:
        (n, 4) int64; a box without area inside the picture has right <= left or bottom <= top.
    """
    known = np.isfinite(corners).all(axis=1, keepdims=True)
    inside = np.clip(np.where(known, corners, 0.0), 0.0, [width, height, width, height])
    pixels = np.concatenate([np.floor(inside[:, :2]), np.ceil(inside[:, 2:])], axis=1).astype(np.int64)
    empty = (inside[:, 2:] <= inside[:, :2]).any(axis=1)
    pixels[empty] = 0
    return pixels


def chosen(boxes: Boxes, *, height: int, width: int, overlap: float, most: int) -> npt.NDArray[np.int64]:
    """The boxes of one label that count, best first, as whole pixels.

    Boxes without area inside the picture or without a finite score are dropped; of boxes that overlap more
    than allowed the one with the higher score stays (torchvision.ops.nms on the boxes cut at the border).

    Args:
        boxes: of one label.
        height: of the picture.
        width: of the picture.
        overlap: largest intersection over union of two boxes that both count.
        most: number of boxes that are kept.

    Returns:
        (k, 4) int64 left, top, right, bottom, each with at least one pixel; k <= most.
    """
    pixels = pixel_boxes(boxes.corners, height=height, width=width)
    usable = (pixels[:, 2:] > pixels[:, :2]).all(axis=1) & np.isfinite(boxes.scores)
    pixels, scores = pixels[usable], boxes.scores[usable]
    # Equal scores in one order whatever order the detector listed them in.
    order = np.lexsort((*pixels.T[::-1], -scores))
    pixels, scores = pixels[order], scores[order]
    places = np.arange(len(scores), 0, -1, dtype=np.float64)  # the order of the scores, without ties
    kept = nms(torch.from_numpy(pixels.astype(np.float64)), torch.from_numpy(places), overlap).numpy()
    best: npt.NDArray[np.int64] = pixels[kept[:most]]
    return best


def cropped(picture: Frames, box: npt.NDArray[np.int64]) -> Frames:
    """The pixels of a box: (height, width, 3) to (bottom - top, right - left, 3), a view."""
    left, top, right, bottom = (int(side) for side in box)
    return picture[top:bottom, left:right]
