"""The arithmetic of VBench's dynamic degree: which frames, how much flow, how often.

Source: vbench 0.1.5, vbench/dynamic_degree.py (the same at Vchitect/VBench @45e79ec).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ipvg_eval.metrics.sampling import linspace_indices

FRAMES_PER_SECOND = 8
STRONGEST_SHARE = 0.05
FEWEST_FRAMES = 3
"""With two sampled frames the published rule asks for round(0.5) = 0 moving pairs: any clip would pass."""


def sampling_step(fps: float) -> int:
    """Every how many-th frame is looked at: round(fps / 8), halves to even, at least 1."""
    return max(1, round(fps / FRAMES_PER_SECOND))


def pair_starts(frame_count: int, fps: float, max_pairs: int | None = None) -> tuple[int, ...]:
    """First frame of every pair of neighbouring sampled frames, a step apart.

    Args:
        frame_count: number of frames.
        fps: mean frame rate.
        max_pairs: keep at most this many pairs, evenly spread with both ends; None keeps all.
    """
    step = sampling_step(fps)
    starts = range(0, frame_count, step)[:-1]
    kept = range(len(starts)) if max_pairs is None else linspace_indices(len(starts), max_pairs)
    return tuple(starts[i] for i in kept)


def strongest_flow(flow: npt.NDArray[np.float32]) -> float:
    """Mean length of the longest 5 % of flow vectors (rounded down in number), in pixels.

    Args:
        flow: (2, height, width), padding included, as published.

    Raises:
        ValueError: fewer than 20 vectors.
    """
    lengths = np.sqrt(np.square(flow[0]) + np.square(flow[1])).ravel()
    count = int(lengths.size * STRONGEST_SHARE)
    if count == 0:
        raise ValueError("a flow field needs at least 20 vectors")
    return float(np.partition(lengths, -count)[-count:].mean(dtype=np.float64))


def flow_threshold(height: int, width: int) -> float:
    """Pixels above which a pair of frames counts as moving: 6 for a shorter side of 256, in proportion."""
    return 6.0 * (min(height, width) / 256.0)


def moving_pairs_needed(pairs: int) -> int:
    """How many pairs must move for the clip to: a quarter of the sampled frames, halves to even."""
    return round(4 * ((pairs + 1) / 16.0))


def is_large_enough(height: int, width: int) -> bool:
    """Whether RAFT's coarsest correlation level keeps two cells a side; else its flow is not a number."""
    return min(-(-side // 8) for side in (height, width)) // 8 >= 2
