"""A video that is longer than one pass, made in several."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Pass:
    """One pass of the video model.

    Attributes:
        first: its first frame in the whole video.
        frames: how many it makes, 4 n + 1.
        known: how many of them, at its start, the pass before has made.
    """

    first: int
    frames: int
    known: int


def whole_frames(seconds: float, fps: float) -> int:
    """The smallest 4 n + 1 frames, at least 5, that last so many seconds."""
    return max(5, 4 * math.ceil((seconds * fps - 1) / 4 - 1e-9) + 1)


def plan_passes(frames: int, longest: int, overlap: int) -> list[Pass]:
    """Passes that cover a video.

    Args:
        frames: of the whole video, 4 n + 1.
        longest: of one pass, 4 n + 1.
        overlap: frames that a pass takes over from the one before, 4 n + 1.
    """
    plan = [Pass(first=0, frames=min(frames, longest), known=0)]
    while (end := plan[-1].first + plan[-1].frames) < frames:
        first = end - overlap
        plan.append(Pass(first=first, frames=min(longest, frames - first), known=overlap))
    return plan
