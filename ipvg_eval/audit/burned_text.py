"""Does a frame hold rows of letters? A heuristic without reading them."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.scaling import shrink

_LONG_SIDE = 640
_HEIGHTS = (0.012, 0.12)  # of a letter, as shares of the frame's height
_WIDE = 1.6  # widest letter, in heights
_FILLED = (0.15, 0.9)  # share of its box that a letter fills
_GAP = 1.3  # widest gap between two letters of a row, in heights
_ALIKE = 0.45  # how far heights and base lines in a row may differ, in heights
_FEWEST = 6
_SURROUNDINGS = (0.03, 0.08)  # sides of the windows that shapes stand out of, as shares of the height
_CONTRAST = 40

Boxes = npt.NDArray[np.int32]


def text_rows(frame: Frames) -> tuple[tuple[float, int], ...]:
    """Rows of at least six shapes of a letter's size, alike in height, on one line and close together.

    Shapes are connected pixels that are much lighter, or much darker, than their surroundings.

    Args:
        frame: (height, width, 3) RGB uint8.

    Returns:
        Centre of each row as a share of the frame's height, and the number of shapes in it.
    """
    grey = cv2.cvtColor(shrink(frame, _LONG_SIDE), cv2.COLOR_RGB2GRAY)
    height = grey.shape[0]
    rows: list[tuple[float, int]] = []
    for share in _SURROUNDINGS:
        window = max(3, int(share * height) | 1)
        lighter = grey.astype(np.int16) - cv2.blur(grey, (window, window))
        for difference in (lighter, -lighter):
            mask = (difference > _CONTRAST / 2).astype(np.uint8)
            found = _rows(_letters(mask, np.asarray(grey, np.uint8), height))
            rows.extend((float((row[:, 1] + row[:, 3] / 2).mean() / height), len(row)) for row in found)
    return tuple(sorted(rows))


def _letters(mask: npt.NDArray[np.uint8], grey: npt.NDArray[np.uint8], height: int) -> Boxes:
    """Boxes (left, top, width, height) of the shapes that may be letters."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    left, top, wide, tall, area = stats[1:].T
    filled = area / np.maximum(1, wide * tall)
    fits = (
        (tall >= max(5, _HEIGHTS[0] * height))
        & (tall <= _HEIGHTS[1] * height)
        & (wide <= _WIDE * tall)
        & (filled >= _FILLED[0])
        & (filled <= _FILLED[1])
    )
    boxes: Boxes = np.stack([left, top, wide, tall], axis=1)[fits].astype(np.int32)
    sharp = [np.ptp(grey[y : y + h, x : x + w]) >= 2 * _CONTRAST for x, y, w, h in boxes]
    kept: Boxes = boxes[np.asarray(sharp, dtype=bool)]
    return kept


def _rows(boxes: Boxes) -> Iterator[Boxes]:
    """Letters chained from left to right."""
    open_rows: list[list[npt.NDArray[np.int32]]] = []
    for box in sorted(boxes, key=lambda box: int(box[0])):
        row = next((row for row in open_rows if _continues(row[-1], box)), None)
        if row is None:
            open_rows.append([box])
        else:
            row.append(box)
    for row in open_rows:
        if len(row) >= _FEWEST:
            yield np.stack(row)


def _continues(last: npt.NDArray[np.int32], box: npt.NDArray[np.int32]) -> bool:
    tall = max(int(last[3]), int(box[3]))
    gap = int(box[0]) - int(last[0] + last[2])
    base = abs(int(last[1] + last[3]) - int(box[1] + box[3]))
    alike = abs(int(last[3]) - int(box[3])) <= _ALIKE * tall
    return -0.2 * tall <= gap <= _GAP * tall and base <= _ALIKE * tall and alike
