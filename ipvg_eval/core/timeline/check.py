"""What is odd about a timeline, by itself and beside a video."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from ipvg_eval.core.timeline.model import Event, Problem, Timeline

_TOUCHING = 1e-6
_ROUNDING = 1e-9
_FAR = 0.25
_NEAR = 0.05


def order_problems(events: Sequence[Event]) -> list[Problem]:
    """Warnings for gaps (the time before the first event included) and overlaps.

    Args:
        events: by start.
    """
    problems = []
    reached = 0.0
    for previous, event in itertools.pairwise((None, *events)):
        assert event is not None
        if event.start > reached + _TOUCHING:
            problems.append(
                _warning(
                    "timeline-gap",
                    f"Nothing is said about {reached:g} s to {event.start:g} s.",
                    "Leave it if no action is meant there.",
                )
            )
        elif previous is not None and event.start < reached - _TOUCHING:
            problems.append(
                _warning(
                    "timeline-overlap",
                    f"The event at {event.start:g} s begins before {reached:g} s, when an earlier one ends.",
                    "Leave it if both actions are meant at once.",
                )
            )
        reached = max(reached, event.end)
    return problems


def snap_distance(fps: float) -> float:
    """Seconds between the ends of timeline and video that do not count: 0.25 s or two frames."""
    return max(0.25, 2.0 / fps) + _ROUNDING


def video_problems(timeline: Timeline, *, duration: float, fps: float) -> list[Problem]:
    """Warnings for a timeline that does not fit a video.

    Args:
        timeline: at least one event.
        duration: of the video, in seconds.
        fps: of the video, in frames per second.
    """
    end = timeline.end
    if unit := _better_unit(end, duration, fps):
        return [
            _warning(
                "timeline-unit",
                f"The timeline ends at {end:g}, the video at {duration:g} s; the times look like {unit}.",
                "Give the times in seconds.",
            )
        ]
    if end > duration + snap_distance(fps):
        return [
            _warning(
                "timeline-beyond-video",
                f"The timeline ends at {end:g} s, the video at {duration:g} s.",
                "Make the video as long as its timeline.",
            )
        ]
    return []


def _better_unit(end: float, duration: float, fps: float) -> str | None:
    """The one unit in which the timeline ends with the video, where it does not in seconds."""
    if abs(end - duration) <= max(1.0, _FAR * duration):
        return None
    sizes = {"milliseconds": 1e-3, "frames": 1.0 / fps, "minutes": 60.0, "shares of the video": duration}
    near = [unit for unit, size in sizes.items() if abs(end * size - duration) <= _NEAR * duration]
    return near[0] if len(near) == 1 else None


def _warning(code: str, message: str, action: str) -> Problem:
    return Problem(code=code, severity="warning", message=message, action=action)
