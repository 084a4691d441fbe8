"""Which frame of a video is on the screen at each tick of a steady clock."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final

FPS: Final = 25
"""Ticks per second at which lips, landmarks and clips are looked at."""

_ROUNDING = 1e-6  # of a tick: times are floats of exact fractions


def shown_frames(times: Sequence[float], duration: float, fps: int = FPS) -> tuple[int, ...]:
    """Index of the frame that is shown at each tick, as ffmpeg's fps filter has it (round near).

    Frame i is due at tick floor(fps t + 1/2). Of several at one tick the last one is shown, and where none is
    due the one before stays. The last frame stays to the end of the video, and what is due then is not shown.

    Args:
        times: presentation times in seconds from the first frame, ascending.
        duration: length of the video in seconds.
        fps: ticks per second.

    Returns:
        One index per tick, ascending with repeats; empty without frames.
    """
    if not times:
        return ()
    due = [math.floor(fps * time + 0.5 + _ROUNDING) for time in times]
    ticks = max(1, math.floor(fps * duration + 0.5 + _ROUNDING))
    shown, frame = [], 0
    for tick in range(ticks):
        while frame + 1 < len(due) and due[frame + 1] <= tick:
            frame += 1
        shown.append(frame)
    return tuple(shown)


class Ticks:
    """The ticks that frames fill as they come; a frame that is lost leaves its ticks to the one before it."""

    def __init__(self, shown: Sequence[int]) -> None:
        self._shown = shown
        self._filled = 0

    def before(self, index: int) -> int:
        """How many ticks the frame before fills until this one is shown."""
        return self._fill(bisect_left(self._shown, index))

    def of(self, index: int) -> int:
        """How many ticks this frame fills."""
        return self._fill(bisect_right(self._shown, index))

    def rest(self) -> int:
        """How many ticks are left to the last frame."""
        return self._fill(len(self._shown))

    def _fill(self, end: int) -> int:
        count, self._filled = end - self._filled, end
        return count
