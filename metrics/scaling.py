"""Making frames small enough to measure quickly."""

from __future__ import annotations

import cv2
import numpy as np

from ipvg_eval.core.measurement import Frames


def shrunk_size(height: int, width: int, long_side: int) -> tuple[int, int]:
    """Height and width after scaling the longer side down to `long_side`; never larger, at least 1.

    Sides are rounded to the nearest pixel.
    """
    scale = min(1.0, long_side / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def shrink(frame: Frames, long_side: int) -> Frames:
    """A frame whose longer side is at most `long_side`, by area averaging (OpenCV INTER_AREA).

    Args:
        frame: (height, width, 3) uint8.
        long_side: in pixels.

    Returns:
        (height', width', 3) uint8; the frame itself where it is small enough.
    """
    height, width = shrunk_size(frame.shape[0], frame.shape[1], long_side)
    if (height, width) == frame.shape[:2]:
        return frame
    return np.asarray(cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
