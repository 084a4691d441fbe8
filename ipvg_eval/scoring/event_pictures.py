"""One small frame for every event of a timeline, for people."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from PIL import Image

from ipvg_eval.core.measurement import ClipInfo, Frames
from ipvg_eval.core.timeline import parse_timeline
from ipvg_eval.results.folder import EVENT_PICTURES
from ipvg_eval.scoring.contact_sheet import small_picture


class EventPictures:
    """Collects the frame that is shown in the middle of every event.

    Attributes:
        wanted: the frames it wants, in the events' order; None for an event behind the video's end.
    """

    def __init__(self, timeline: str | None, clip: ClipInfo) -> None:
        events = parse_timeline(timeline).events[:EVENT_PICTURES] if timeline is not None else ()
        self.wanted = tuple(_shown_at((event.start + event.end) / 2, clip) for event in events)
        self._pictures: dict[int, Image.Image] = {}

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        """Take the frames it wants out of a batch."""
        for index, frame in zip(indices, frames, strict=True):
            if index in self.wanted:
                self._pictures[index] = small_picture(frame)

    def pictures(self) -> tuple[Image.Image | None, ...]:
        """One per event; None where its frame did not come."""
        return tuple(self._pictures.get(index) if index is not None else None for index in self.wanted)


def _shown_at(moment: float, clip: ClipInfo) -> int | None:
    if moment >= clip.duration:
        return None
    return max(0, bisect_right(clip.times, moment) - 1)
