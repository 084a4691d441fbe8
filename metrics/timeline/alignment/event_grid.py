"""Where a timeline's events lie on a grid of sliding windows over the video."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ipvg_eval.core.timeline.check import snap_distance

STRIDE = 0.25
"""Seconds between the centres of neighbouring windows."""

WIDEST = 1.0
"""Width of a window in seconds, or that of the shortest event."""

SAME_ACTION = 0.95
"""Cosine above which two texts name one action."""

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Intervals = tuple[tuple[float, float], ...]

_SAME_TIME = 1e-9


@dataclass(frozen=True, kw_only=True)
class EventGrid:
    """Prompted events on a grid of windows; hashable, so that what depends on it alone can be cached.

    Attributes:
        intervals: start and end of each event in seconds, half open.
        classes: which action each event is; events with one action have one number, counted from 0.
        span: seconds the grid covers, the longer of video and timeline.
        present: for each window whether the video shows anything there; (J,).
    """

    intervals: Intervals
    classes: tuple[int, ...]
    span: float
    present: tuple[bool, ...]

    @property
    def class_count(self) -> int:
        """Number of different actions."""
        return max(self.classes) + 1

    @property
    def end(self) -> float:
        """When the last event ends, in seconds."""
        return max(end for _, end in self.intervals)

    @cached_property
    def edges(self) -> FloatArray:
        """Borders of the cells around the windows' centres, in seconds; (J + 1,)."""
        return cell_edges(self.span)

    @cached_property
    def there(self) -> BoolArray:
        """`present` as an array; (J,)."""
        return np.array(self.present, dtype=np.bool_)

    @cached_property
    def mask(self) -> BoolArray:
        """Which event is prompted at which window's centre; (K, J).

        An event shorter than a stride that holds no centre has the window its middle lies in.
        """
        centres = cell_centres(self.edges)
        starts, ends = np.array(self.intervals).T[..., None]
        mask: BoolArray = (starts <= centres) & (centres < ends)
        for k in np.flatnonzero(~mask.any(axis=1)):
            middle = sum(self.intervals[k]) / 2.0
            mask[k, np.clip(np.searchsorted(self.edges, middle, side="right") - 1, 0, len(centres) - 1)] = (
                True
            )
        return mask

    @cached_property
    def class_mask(self) -> BoolArray:
        """Which action is prompted at which window's centre; (classes, J)."""
        classes = np.array(self.classes)
        return np.stack([self.mask[classes == c].any(axis=0) for c in range(self.class_count)])

    @property
    def contrast(self) -> bool:
        """Whether there is anything to tell an event from: another action, or time without it."""
        return self.class_count > 1 or not bool(self.class_mask[:, self.there].all())

    def by_class(self, rows: FloatArray) -> FloatArray:
        """Mean of the rows of each action: (..., K, J) to (..., classes, J)."""
        classes = np.array(self.classes)
        return np.stack([rows[..., classes == c, :].mean(axis=-2) for c in range(self.class_count)], axis=-2)


def cell_edges(span: float) -> FloatArray:
    """Borders of cells of one stride from 0 to `span` seconds; the last one is half to one and a half."""
    count = max(1, int(span / STRIDE + 0.5))
    return np.append(np.arange(count, dtype=np.float64) * STRIDE, span)


def cell_centres(edges: FloatArray) -> FloatArray:
    """Middle of each cell: (J + 1,) to (J,)."""
    return (edges[:-1] + edges[1:]) / 2.0


def window_width(intervals: Intervals) -> float:
    """Width of the windows in seconds: one second, or the shortest event."""
    return min(WIDEST, *(end - start for start, end in intervals))


def snapped(intervals: Intervals, *, duration: float, fps: float) -> Intervals:
    """The events, ending with the video where the timeline ends within 0.25 s or 2 frames of it."""
    reach = max(end for _, end in intervals)
    if abs(duration - reach) > snap_distance(fps):
        return intervals
    fitted = tuple(
        (start, duration if end >= reach - _SAME_TIME else min(end, duration)) for start, end in intervals
    )
    return fitted if all(start < end for start, end in fitted) else intervals


def rescaled(intervals: Intervals, *, duration: float) -> Intervals:
    """The events stretched so that the timeline ends with the video."""
    factor = duration / max(end for _, end in intervals)
    return tuple((start * factor, end * factor) for start, end in intervals)


def action_classes(texts: Sequence[str], cosines: FloatArray | None = None) -> tuple[int, ...]:
    """Which action each text names.

    Args:
        texts: one per event.
        cosines: (K, K) cosines between the texts' embeddings, where there are any.

    Returns:
        One number per text, from 0 in order of first appearance. Two texts are one action if they are
        the same but for case, white space and final punctuation, or their cosine is above 0.95.
    """
    plain = [_plain(text) for text in texts]
    classes: list[int] = []
    for k, text in enumerate(plain):
        same = [
            classes[i]
            for i in range(k)
            if plain[i] == text or (cosines is not None and cosines[i, k] > SAME_ACTION)
        ]
        classes.append(min(same) if same else max(classes, default=-1) + 1)
    return tuple(classes)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()).rstrip(".!;, ")
