"""When each event of a sample takes place in its video, and which latent frame belongs to which."""

from __future__ import annotations

from collections.abc import Sequence

from ipvg_eval.core.timeline import Event, Timeline, parse_timeline
from ipvg_eval.core.timeline.model import summary
from ipvg_eval.reference_generator.errors import SampleFailed


def readable_timeline(text: str) -> Timeline:
    """A timeline of at least one event: exactly those that are scored, unsound ones left out.

    Raises:
        SampleFailed: there is no sound event; the message says what is wrong with them.
    """
    timeline = parse_timeline(text)
    if not timeline.events:
        raise SampleFailed(summary(timeline.problems), hint=timeline.problems[-1].action)
    return timeline


def timeline_seconds(text: str) -> float | None:
    """When the last event ends, or None if the timeline cannot be read."""
    return parse_timeline(text).end or None


def frame_events(events: Sequence[Event], *, frames: int, fps: float, first_frame: int = 0) -> list[int]:
    """Index of the event that each latent frame belongs to.

    Latent frame 0 covers one picture and every other four, of which the middle decides. A frame in a gap
    belongs to the event before it, one ahead of all events to the first.

    Args:
        events: by their start.
        frames: pictures of this pass, 4 n + 1.
        fps: pictures per second.
        first_frame: where this pass begins in the whole video.
    """
    middles = [0.0, *(4 * k - 1.5 for k in range(1, (frames - 1) // 4 + 1))]
    chosen = []
    for middle in middles:
        time = (first_frame + middle) / fps
        begun = [index for index, event in enumerate(events) if event.start <= time]
        inside = [index for index in begun if time < events[index].end]
        chosen.append(inside[0] if inside else begun[-1] if begun else 0)
    return chosen
