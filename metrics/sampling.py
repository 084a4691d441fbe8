"""Which frames of a video are looked at."""

from __future__ import annotations

from collections import Counter
from typing import Literal

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


Sampling = Literal["linspace", "linspace_repeat", "floor"]
"""How frames are chosen.

linspace: floor(linspace(0, N - 1, k)), or every frame once if N <= k
    (TPIGE ID_eval_final/CLIPCal.py line 40 and GMECal.py line 44 @74390b4).
linspace_repeat: the same rule also for N < k, where it names frames more than once
    (OpenS2V-Nexus eval/get_gmescore.py line 20 @b452831).
floor: floor(i * N / k), never the last frame for N > k; repeats for N < k
    (ConsisID eval/get_clipscore.py line 15 @60429e4).
"""


def schedule(sampling: Sampling, frame_count: int, wanted: int) -> dict[int, int]:
    """How often each frame counts.

    Args:
        sampling: the rule.
        frame_count: number of frames in the video, N.
        wanted: number of frames the rule asks for, k >= 1.

    Returns:
        Frame index to number of times the rule names it, indices ascending; empty for an empty video.

    Raises:
        ValueError: a negative frame count, or fewer than one wanted frame.
    """
    if frame_count < 0 or wanted < 1:
        raise ValueError("a schedule needs frame_count >= 0 and wanted >= 1")
    if frame_count == 0:
        return {}
    if sampling == "linspace":
        named = linspace_indices(frame_count, wanted)
    elif sampling == "linspace_repeat":
        named = tuple(int(i) for i in np.linspace(0, frame_count - 1, wanted).astype(int))
    else:
        named = tuple(int(i * frame_count / wanted) for i in range(wanted))
    return dict(sorted(Counter(named).items()))
