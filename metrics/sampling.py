"""Which frames of a video are looked at."""

from __future__ import annotations

import numpy as np


def linspace_indices(frame_count: int, wanted: int) -> tuple[int, ...]:
    """Evenly spaced frame indices with both ends, rounded down, without repeats.

    The rule of ConsisID's eval/get_facesim_fid.py @60429e4: floor(linspace(0, N - 1, wanted)).
    A video with no more than `wanted` frames gives every frame once.

    Raises:
        ValueError: a negative count.
    """
    if frame_count < 0 or wanted < 0:
        raise ValueError("counts must not be negative")
    if frame_count <= wanted:
        return tuple(range(frame_count))
    return tuple(int(i) for i in np.linspace(0, frame_count - 1, wanted).astype(int))
