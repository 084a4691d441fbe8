"""Which frames a timeline is scored by, and which of them stand for a stretch of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ipvg_eval.core.measurement import ClipInfo
from ipvg_eval.metrics.timeline.alignment.event_grid import FloatArray

_SAME_TIME = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class Samples:
    """Evenly spaced moments of a video and the frames on show at them.

    Attributes:
        moments: (i + .5) times the video's length over n, in seconds; (n,).
        frames: index of the frame on show at each moment; (n,), ascending, with repeats where the
            video's frame rate is lower.
        length: seconds each moment stands for.
    """

    moments: FloatArray
    frames: npt.NDArray[np.int64]
    length: float

    @property
    def wanted(self) -> tuple[int, ...]:
        """Every frame once, ascending."""
        return tuple(int(i) for i in np.unique(self.frames))


def sample(clip: ClipInfo, rate: float, limit: int) -> Samples:
    """Moments at an even rate; a variable frame rate is followed by presentation times.

    Args:
        clip: the video.
        rate: moments per second.
        limit: a long video is looked at less often, so that there are no more moments than this.
    """
    if clip.frame_count == 0 or clip.duration <= 0:
        return Samples(moments=np.empty(0), frames=np.empty(0, dtype=np.int64), length=0.0)
    count = min(limit, max(1, round(clip.duration * rate)))
    length = clip.duration / count
    moments: FloatArray = (np.arange(count, dtype=np.float64) + 0.5) * length
    shown = np.searchsorted(np.array(clip.times), moments, side="right") - 1
    return Samples(moments=moments, frames=np.clip(shown, 0, clip.frame_count - 1), length=length)


def stretch_weights(
    starts: FloatArray, ends: FloatArray, samples: Samples, read: Sequence[int]
) -> FloatArray:
    """How long each frame that was read is on show in each stretch of time.

    Args:
        starts: beginnings of the stretches in seconds; (s,).
        ends: their ends; (s,).
        samples: the moments that were looked at; each frame is on show for the time its moments stand for.
        read: indices of the frames that were read, ascending; (n,).

    Returns:
        (s, n) seconds; a row of zeros for a stretch of which nothing was read.
    """
    half = samples.length / 2.0
    first = np.maximum(starts[:, None], samples.moments - half)
    last = np.minimum(ends[:, None], samples.moments + half)
    overlap = np.maximum(last - first, 0.0)
    overlap[overlap < _SAME_TIME] = 0.0
    weights: FloatArray = overlap @ (samples.frames[:, None] == np.array(read)).astype(np.float64)
    return weights


def clip_columns(weights: FloatArray, count: int) -> npt.NDArray[np.int64]:
    """Frames at `count` moments evenly spaced over what each stretch holds.

    The moments are (i + .5) / count of the way through the time that was read; one on the border of two
    frames belongs to the earlier one.

    Args:
        weights: (stretches, n) seconds of each frame, as `stretch_weights` gives them; no row is all
            zeros.
        count: frames per stretch.

    Returns:
        (stretches, count) column of `weights` at each moment, ascending, with repeats where a stretch has
        fewer frames.
    """
    ends = np.cumsum(weights, axis=1)
    moments = (np.arange(count) + 0.5) / count * ends[:, -1:]
    passed = ends[:, None, :] + _SAME_TIME < moments[:, :, None]
    columns: npt.NDArray[np.int64] = passed.sum(axis=2).astype(np.int64)
    return columns
