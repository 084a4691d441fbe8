"""The arithmetic of VBench's motion smoothness: which frames, which padding, which score.

Source: vbench 0.1.5, vbench/motion_smoothness.py and vbench/third_party/amt/utils/utils.py
(the same at Vchitect/VBench @45e79ec).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.sampling import linspace_indices

MIB = 1024**2
SMALLEST_MEMORY_GIB = 2500 / 1024
"""The string-"cuda" rule sets this much aside before it divides the rest."""


def pair_count(frame_count: int) -> int:
    """How many odd frames lie between two even ones: ceil(N / 2) - 1, 0 below three frames."""
    return max(0, math.ceil(frame_count / 2) - 1)


def pair_starts(frame_count: int, max_pairs: int | None = None) -> tuple[int, ...]:
    """First frame of every pair (i, i + 2) whose middle frame i + 1 is predicted.

    Args:
        frame_count: number of frames; a last odd frame without a successor is not looked at.
        max_pairs: keep at most this many pairs, evenly spread with both ends; None keeps all.
    """
    count = pair_count(frame_count)
    kept = range(count) if max_pairs is None else linspace_indices(count, max_pairs)
    return tuple(2 * pair for pair in kept)


def scale_factor(height: int, width: int, memory_gib: float | None = None) -> float:
    """By how much the network shrinks its input: a number in (0, 1].

    Args:
        height: frame height in pixels.
        width: frame width in pixels.
        memory_gib: None for the rule that a `torch.device` gets, which is 1 for every video format up to
            8192 x 8192; else total GPU memory in GiB for the rule that the string "cuda" gets
            (motion_smoothness.py:87-98).

    Raises:
        ValueError: not more memory than the rule sets aside.
    """
    if memory_gib is None:
        share = 8192 * 8192 / (height * width)
    elif memory_gib <= SMALLEST_MEMORY_GIB:
        raise ValueError(f"the memory rule needs more than {SMALLEST_MEMORY_GIB:.2f} GiB")
    else:
        spare = memory_gib * 1024 * MIB - 2500 * MIB
        share = 1024 * 512 / (height * width) * math.sqrt(spare / (1500 * MIB))
    steps = math.floor(1 / math.sqrt(min(share, 1.0)) * 16)
    return 1 / steps * 16


@dataclass(frozen=True, kw_only=True)
class Padding:
    """Rows and columns added around a frame by repeating its border."""

    left: int
    right: int
    top: int
    bottom: int


def centred_padding(height: int, width: int, divisor: int) -> Padding:
    """The least padding to multiples of `divisor`; an odd rest goes to the right and the bottom."""
    rows, columns = -height % divisor, -width % divisor
    return Padding(left=columns // 2, right=columns - columns // 2, top=rows // 2, bottom=rows - rows // 2)


def network_divisor(scale: float) -> int:
    """What frame sides are padded to a multiple of, so that the scaled input is a multiple of 16."""
    return int(16 / scale)


def is_large_enough(height: int, width: int, scale: float) -> bool:
    """Whether AMT's coarsest correlation level keeps two cells a side.

    Below that (padded and scaled side under 128) the sampling grid is divided by zero and the
    prediction is not a number; the published code turns it into black frames and scores those.
    """
    divisor = network_divisor(scale)
    sides = (math.floor((side + -side % divisor) * scale) for side in (height, width))
    return min(sides) // 64 >= 2


def mean_absolute_difference(frame: Frames, other: Frames) -> float:
    """Mean over pixels and channels of |a - b|, for two (height, width, 3) uint8 frames; 0 to 255."""
    return float(cv2.norm(frame, other, cv2.NORM_L1) / frame.size)


def smoothness(difference: float) -> float:
    """A mean absolute difference in grey levels as a score: 1 for none, 0 for 255."""
    return (255.0 - difference) / 255.0


def clip_smoothness(differences: Sequence[float]) -> float:
    """Score of a clip from its pairs' differences, averaged in float64 before the score is taken."""
    return smoothness(float(np.mean(np.asarray(differences, dtype=np.float64))))
