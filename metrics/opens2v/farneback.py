"""The published measure of motion: Farneback's optical flow, made small and averaged with its sign.

Source: OpenS2V-Nexus eval/get_motionscore.py @b452831; in the fork franciszzj @ef17513 the same procedure is
eval/get_motion_amplitude.py (version 1.1) and eval/v1.0_backup/get_motion_amplitude.py (version 1.0). Its
second number, from sparse flow with random colours, enters no total and is not computed here.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ipvg_eval.core.measurement import Frames

COLUMNS = 16
"""Width of the small flow maps; their height follows the picture, rounded down."""

Grey = npt.NDArray[np.uint8]


def grey(frame: Frames) -> Grey:
    """(height, width, 3) RGB to (height, width), with the weights of red and blue exchanged as published."""
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), dtype=np.uint8)


def is_too_wide(height: int, width: int) -> bool:
    """Whether a small flow map would have no row: pictures more than 16 times as wide as high."""
    return int(height * (COLUMNS / width)) < 1


def mean_flow(first: Grey, second: Grey) -> float:
    """Mean of both components of the flow between two pictures, in pixels, over the small map.

    The published script first averages the maps over time, then their elements; every map of a video has
    as many, so the mean of these means is the same number. Summed in float64, where the script uses float32.

    Args:
        first: (height, width) uint8, not `is_too_wide`.
        second: likewise, of the same size.
    """
    flow = cv2.calcOpticalFlowFarneback(
        first,
        second,
        np.empty((*first.shape, 2), dtype=np.float32),
        pyr_scale=0.5,
        levels=3,
        winsize=15,
        iterations=3,
        poly_n=5,
        poly_sigma=1.2,
        flags=0,
    )
    height, width = first.shape
    rows = int(height * (COLUMNS / width))
    small = cv2.resize(flow, (COLUMNS, rows), interpolation=cv2.INTER_AREA)
    return float(np.mean(small, dtype=np.float64))
