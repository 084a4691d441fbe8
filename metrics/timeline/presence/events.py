"""Showing a judge the frames of every event of one video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.timeline.alignment.event_grid import BoolArray, FloatArray, Intervals
from ipvg_eval.metrics.timeline.frame_sampling import Samples, clip_columns, stretch_weights
from ipvg_eval.metrics.timeline.presence.judge import FRAMES_PER_EVENT, PresenceJudge


@dataclass(frozen=True, kw_only=True, eq=False)
class EventPresence:
    """Whether each event's stretch shows its action.

    Attributes:
        values: (K,) cosine or probability; NaN where there is none.
        reached: (K,) whether there was anything of the event to look at.
        how: what the values are, for the row.
    """

    values: FloatArray
    reached: BoolArray
    how: str

    @property
    def broken(self) -> bool:
        """Whether an event was looked at without a finite result."""
        return bool((self.reached & ~np.isfinite(self.values)).any())


class EventFrames:
    """Keeps up to eight frames of each event, at moments evenly spaced over it, until they are judged.

    Frames that two events share are kept once. Where frames are lost, an event is judged by those left.
    """

    def __init__(self, judge: PresenceJudge, intervals: Intervals, samples: Samples) -> None:
        self._judge = judge
        self._chosen = [frames_of_event(interval, samples) for interval in intervals]
        self._wanted = frozenset(index for chosen in self._chosen for index in chosen)
        self._kept: dict[int, Frames] = {}

    def add(self, index: int, frame: Frames) -> None:
        """Take the next frame, valid during the call only."""
        if index in self._wanted:
            self._kept[index] = self._judge.shrink(frame)

    def finish(self, actions: Sequence[str]) -> EventPresence:
        """Ask about every event; one forward pass each.

        Args:
            actions: the events' descriptions.
        """
        values, reached = np.full(len(actions), np.nan), np.zeros(len(actions), dtype=np.bool_)
        for k, (chosen, action) in enumerate(zip(self._chosen, actions, strict=True)):
            frames = [self._kept[index] for index in chosen if index in self._kept]
            reached[k] = bool(frames)
            if frames:
                values[k] = self._judge.presence(frames, action)
        return EventPresence(values=values, reached=reached, how=self._judge.how)


def frames_of_event(interval: tuple[float, float], samples: Samples) -> tuple[int, ...]:
    """The frames that stand for an event: at most eight of those looked at; none behind the video's end."""
    start, end = np.array(interval)[:, None]
    frames = samples.wanted
    weights = stretch_weights(start, end, samples, frames)
    if not weights.any():
        return ()
    return tuple(dict.fromkeys(frames[column] for column in clip_columns(weights, FRAMES_PER_EVENT)[0]))
