"""Following faces through a video, and the crops that SyncNet looks at.

The rules of joonson/syncnet_python run_pipeline.py @6efbb1c, lines 60-150, but for three things: shots are
not cut first, so a cut ends a track only where the face moves; a face joins one track at most, where the
published loop skips faces while it removes them from the list it goes through; and crops are not compressed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from ipvg_eval.core.measurement import Frames

Box = npt.NDArray[np.float64]
"""Left, top, right, bottom in pixels."""

OVERLAP: Final = 0.5
"""Intersection over union with a track's last box above which a face belongs to it."""

GAP: Final = 25
"""Frames after which a track without a face has ended."""

SMALLEST: Final = 100.0
"""Mean side in pixels, of the longer one, that a track's faces must exceed."""

SIDE: Final = 224

_MARGIN = 0.4  # of the box
_SMOOTHED = 13  # frames of the running median
_GREY = 110


class Track:
    """One face through consecutive frames.

    Crops are handed on as soon as the running median around them is known: at most some thirty frames wait.

    Attributes:
        start: frame of its first face.
        detections: how many faces it has; frames between them have boxes too.
    """

    def __init__(self, number: int, box: Box, sink: Callable[[Frames], None]) -> None:
        self.start = number
        self.detections = 1
        self._boxes = [box]
        self._sink = sink
        self._waiting: deque[Frames] = deque()
        self._cropped = 0

    @property
    def last(self) -> int:
        """Frame of its last face."""
        return self.start + len(self._boxes) - 1

    @property
    def length(self) -> int:
        """How many frames lie from its first to its last face."""
        return len(self._boxes)

    @property
    def side(self) -> float:
        """Mean width or mean height of its boxes in pixels, whichever is larger."""
        boxes = np.stack(self._boxes)
        return float(max((boxes[:, 2] - boxes[:, 0]).mean(), (boxes[:, 3] - boxes[:, 1]).mean()))

    def follows(self, number: int, box: Box) -> bool:
        """Whether a face of a later frame belongs to it."""
        return number - self.last <= GAP and overlap(self._boxes[-1], box) > OVERLAP

    def join(self, number: int, box: Box) -> None:
        """Take a face; boxes in between lie on straight lines."""
        before, steps = self._boxes[-1], number - self.last
        self._boxes += [before + (box - before) * (step / steps) for step in range(1, steps + 1)]
        self.detections += 1

    def see(self, frame: Frames) -> None:
        """Take the picture of the next frame, to be kept until it can be cropped."""
        self._waiting.append(frame)
        self._crop(len(self._boxes) - _SMOOTHED // 2)

    def finish(self) -> None:
        """No face follows: crop what is left, up to the last face."""
        self._crop(len(self._boxes))
        self._waiting.clear()

    def _crop(self, end: int) -> None:
        while self._cropped < end and self._waiting:
            self._sink(crop(self._waiting.popleft(), smoothed(self._boxes, self._cropped)))
            self._cropped += 1


class Tracker:
    """All faces of one video.

    Attributes:
        tracks: every track so far, in the order of their first faces.
        seen: how many frames it has seen; they are numbered from 0.
    """

    def __init__(self, sink: Callable[[], Callable[[Frames], None]]) -> None:
        """Nothing is followed yet.

        Args:
            sink: called for each new track; gives what its crops are handed to.
        """
        self._sink = sink
        self.seen = 0
        self._active: list[Track] = []
        self.tracks: list[Track] = []

    def add(self, frame: Frames, faces: Sequence[Box]) -> None:
        """Take the next frame and the boxes of its faces."""
        number, left = self.seen, list(faces)
        self.seen += 1
        for track in list(self._active):
            if number - track.last > GAP:
                track.finish()
                self._active.remove(track)
                continue
            mine = next((place for place, box in enumerate(left) if track.follows(number, box)), None)
            if mine is not None:
                track.join(number, left.pop(mine))
        for box in left:
            track = Track(number, np.asarray(box, np.float64), self._sink())
            self.tracks.append(track)
            self._active.append(track)
        for track in self._active:
            track.see(frame)

    def finish(self) -> None:
        """No frame follows."""
        for track in self._active:
            track.finish()
        self._active = []


def overlap(one: Box, other: Box) -> float:
    """Intersection over union; 0 where both are empty."""
    width = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    height = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    union = _area(one) + _area(other) - width * height
    return float(width * height / union) if union > 0 else 0.0


def smoothed(boxes: Sequence[Box], position: int) -> tuple[float, float, float]:
    """Middle and half the longer side of a box, each the median over 13 frames around it.

    What lies outside the track counts as zero, as scipy.signal.medfilt has it: at both ends the values are
    the smaller ones.

    Returns:
        x, y, s in pixels.
    """
    reach = _SMOOTHED // 2
    rows = np.zeros((_SMOOTHED, 3))
    for row, place in enumerate(range(position - reach, position + reach + 1)):
        if 0 <= place < len(boxes):
            left, top, right, bottom = boxes[place]
            half = max(bottom - top, right - left) / 2
            rows[row] = (left + right) / 2, (top + bottom) / 2, half
    x, y, half = np.median(rows, axis=0)
    return float(x), float(y), float(half)


def crop(frame: Frames, face: tuple[float, float, float]) -> Frames:
    """The face from its top to well below the chin, 224 x 224 by bilinear scaling.

    Args:
        frame: (height, width, 3) RGB uint8; what lies outside is grey.
        face: middle and half the side, see `smoothed`.
    """
    x, y, half = face
    border = int(half * (1 + 2 * _MARGIN))
    sides = ((border, border), (border, border), (0, 0))
    framed = np.pad(frame, sides, constant_values=_GREY)
    x, y = x + border, y + border
    top, bottom = int(y - half), int(y + half * (1 + 2 * _MARGIN))
    left, right = int(x - half * (1 + _MARGIN)), int(x + half * (1 + _MARGIN))
    cut = framed[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    if not cut.size:  # the median fell outside the picture
        return np.full((SIDE, SIDE, 3), _GREY, np.uint8)
    return np.asarray(cv2.resize(cut, (SIDE, SIDE)), np.uint8)


def _area(box: Box) -> float:
    return float(max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1]))
