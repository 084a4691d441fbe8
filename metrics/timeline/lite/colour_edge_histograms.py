"""What a frame looks like without any training: its colours and the directions of its edges."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.scaling import shrink
from ipvg_eval.metrics.similarity import unit_rows

LONG_SIDE = 160
_COLOURS = 4
_DIRECTIONS = 8
_GRID = 2


def colour_edge_histogram(frame: Frames) -> npt.NDArray[np.float32]:
    """A frame's colours (histogram in CIELAB) and edges (directions in 2 x 2 fields), each half of the whole.

    Square roots of histograms: the cosine of two descriptors is the mean of their two Bhattacharyya
    coefficients. Little changes when the camera moves over one scene; much changes when the scene does.

    Args:
        frame: (height, width, 3) uint8.

    Returns:
        (96,) float32 of length one, none negative.
    """
    small = shrink(frame, LONG_SIDE)
    parts = np.stack([np.pad(_colours(small), (0, _DIRECTIONS * _GRID**2)), np.pad(_edges(small), (64, 0))])
    return np.asarray(unit_rows(unit_rows(parts).sum(axis=0, keepdims=True))[0], dtype=np.float32)


def _colours(frame: Frames) -> npt.NDArray[np.float64]:
    lab = cv2.cvtColor(frame, cv2.COLOR_RGB2LAB).reshape(-1, 3).astype(np.int64)
    # Most pictures keep near the middle of the colour axes; finer bins there tell them apart.
    cells = np.stack([lab[:, 0] // 64, _fine(lab[:, 1]), _fine(lab[:, 2])])
    codes = np.ravel_multi_index(tuple(cells), (_COLOURS,) * 3)
    return np.sqrt(np.bincount(codes, minlength=_COLOURS**3).astype(np.float64))


def _fine(channel: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.digitize(channel, (116, 128, 140))


def _edges(frame: Frames) -> npt.NDArray[np.float64]:
    grey = cv2.GaussianBlur(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), (0, 0), 1.0).astype(np.float32)
    dx, dy = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    strength, angle = np.hypot(dx, dy), np.mod(np.arctan2(dy, dx), np.pi)
    direction = np.minimum((angle / np.pi * _DIRECTIONS).astype(np.int64), _DIRECTIONS - 1)
    rows = np.arange(grey.shape[0])[:, None] * _GRID // grey.shape[0]
    columns = np.arange(grey.shape[1])[None] * _GRID // grey.shape[1]
    field = (rows * _GRID + columns) * _DIRECTIONS + direction
    sums = np.bincount(field.ravel(), weights=strength.ravel(), minlength=_DIRECTIONS * _GRID**2)
    return np.sqrt(np.asarray(sums, dtype=np.float64))
