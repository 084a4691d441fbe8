"""Which frames a timeline is judged by, and which of them each window holds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from metrics.evaluator import ClipInfo
from metrics.timeline.layout import BoolArray, FloatArray, Intervals, cell_centres, cell_edges


def sampled_frames(clip: ClipInfo, rate: float, limit: int) -> tuple[int, ...]:
    """The frames on show at evenly spaced moments (i + .5) / rate, each once, by presentation time.

    Args:
        clip: the video; a variable frame rate is followed.
        rate: moments per second.
        limit: a long video is looked at less often, so that there are no more moments than this.
    """
    if clip.frame_count == 0 or clip.duration <= 0:
        return ()
    moments = min(limit, max(1, int(clip.duration * rate)))
    at = (np.arange(moments) + 0.5) * (clip.duration / moments)
    shown = np.searchsorted(np.array(clip.times), at, side="right") - 1
    return tuple(int(i) for i in np.unique(np.clip(shown, 0, clip.frame_count - 1)))


def window_members(
    times: FloatArray, *, span: float, duration: float, width: float, reach: float
) -> list[tuple[int, ...]]:
    """The frames in each sliding window of the grid.

    Args:
        times: presentation times of the frames that were read, ascending; (n,).
        span: seconds the grid covers.
        duration: of the video; windows centred behind it are empty, but for the first.
        width: of a window, in seconds.
        reach: a window without a frame takes the nearest one, if its time is no further than this.

    Returns:
        Rows of `times` for each of the J windows; empty where the video shows nothing.
    """
    members = []
    for j, centre in enumerate(cell_centres(cell_edges(span))):
        inside = np.flatnonzero((times >= centre - width / 2) & (times < centre + width / 2))
        if (j > 0 and centre >= duration) or not len(times):
            inside = inside[:0]
        elif not len(inside):
            nearest = int(np.abs(times - centre).argmin())
            inside = np.array([nearest] if abs(times[nearest] - centre) <= reach else [], dtype=np.int64)
        members.append(tuple(int(i) for i in inside))
    return members


def segment_members(
    times: FloatArray, intervals: Intervals, mask: BoolArray, windows: Sequence[tuple[int, ...]]
) -> list[tuple[int, ...]]:
    """The frames of each event, half open; those of its windows where no frame falls into it.

    Returns:
        Rows of `times` for each event; empty where the video shows nothing of it.
    """
    members = []
    for k, (start, end) in enumerate(intervals):
        inside = [int(i) for i in np.flatnonzero((times >= start) & (times < end))]
        members.append(tuple(inside or sorted({i for j in np.flatnonzero(mask[k]) for i in windows[int(j)]})))
    return members
