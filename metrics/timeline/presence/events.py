"""Showing a judge the frames of every event of one video."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.timeline.alignment.distractor_contrast import distractor_shares, two_sided_presence
from ipvg_eval.metrics.timeline.alignment.event_grid import BoolArray, FloatArray, Intervals
from ipvg_eval.metrics.timeline.frame_sampling import Samples, clip_columns, stretch_weights
from ipvg_eval.metrics.timeline.presence.judge import FRAMES_PER_EVENT, PresenceJudge

MOST_OTHERS = 8
"""Other actions that a judge is asked about for each event, at most."""


@dataclass(frozen=True, kw_only=True, eq=False)
class EventPresence:
    """Whether each event's stretch shows its action.

    Attributes:
        values: (K,) cosine or probability, or two-sided, -1 to 1; NaN where there is none.
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
        self._starts = [start for start, _ in intervals]
        self._shown = {
            int(f): float(t) for f, t in zip(samples.frames[::-1], samples.moments[::-1], strict=True)
        }
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
        for k, ((frames, seconds), action) in enumerate(zip(self._frames(), actions, strict=True)):
            reached[k] = bool(frames)
            if frames:
                values[k] = self._judge.presence(frames, action, seconds)
        return EventPresence(values=values, reached=reached, how=self._judge.how)

    def finish_two_sided(
        self, actions: Sequence[str], distractors: Sequence[str], *, classes: Sequence[int]
    ) -> EventPresence:
        """Ask about every event's action and up to eight others, in one forward pass for each event.

        Args:
            actions: the events' descriptions.
            distractors: actions nobody asked for.
            classes: which action each event is.

        Returns:
            SEM of each event, 2 x (share of the others to which yes is less likely) - 1.
        """
        values, reached = np.full(len(actions), np.nan), np.zeros(len(actions), dtype=np.bool_)
        for k, (frames, seconds) in enumerate(self._frames()):
            reached[k] = bool(frames)
            others = judged_distractors(k, actions, distractors, classes)
            if not frames or not others:
                continue
            own, *rest = self._judge.presences(frames, [actions[k], *others], seconds)
            if np.isfinite([own, *rest]).all():
                shares = distractor_shares(np.array([own]), np.array(rest)[:, None])
                values[k] = two_sided_presence(shares)[0]
        how = f"{self._judge.how}, against up to {MOST_OTHERS} other actions"
        return EventPresence(values=values, reached=reached, how=how)

    def _frames(self) -> Iterator[tuple[list[Frames], list[float]]]:
        """Frames of each event that are there, and when they are first shown, in seconds from its start."""
        for chosen, start in zip(self._chosen, self._starts, strict=True):
            kept = [index for index in chosen if index in self._kept]
            yield (
                [self._kept[index] for index in kept],
                [max(0.0, self._shown[index] - start) for index in kept],
            )


def judged_distractors(
    event: int, actions: Sequence[str], distractors: Sequence[str], classes: Sequence[int]
) -> tuple[str, ...]:
    """At most eight texts: up to four other actions of the timeline, and distractors evenly from the list."""
    asked = dict(zip(reversed(classes), reversed(actions), strict=True))
    own = [text for c, text in sorted(asked.items()) if c != classes[event]]
    near = sorted(range(len(own)), key=lambda i: (i + event) % len(own))[: MOST_OTHERS // 2]
    places = np.linspace(0, len(distractors) - 1, MOST_OTHERS - len(near)).round().astype(int)
    drawn = dict.fromkeys(int(place) for place in places) if distractors else {}
    return (*(own[i] for i in near), *(distractors[place] for place in drawn))


def frames_of_event(interval: tuple[float, float], samples: Samples) -> tuple[int, ...]:
    """The frames that stand for an event: at most eight of those looked at; none behind the video's end."""
    start, end = np.array(interval)[:, None]
    frames = samples.wanted
    weights = stretch_weights(start, end, samples, frames)
    if not weights.any():
        return ()
    return tuple(dict.fromkeys(frames[column] for column in clip_columns(weights, FRAMES_PER_EVENT)[0]))
