"""What every face detector offers, and the rules shared by all face metrics.

The largest face counts; a picture without a face gets one more try with a grey border, because
detectors miss faces that fill the frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ipvg_eval.core.measurement import Box, Frames

PAD_SHARE = 0.25
PAD_GREY = 128


@dataclass(frozen=True, kw_only=True, eq=False)
class Face:
    """One detected face.

    Attributes:
        box: left, top, right, bottom in pixels; (4,) float64.
        score: the detector's probability, 0 to 1.
        points: x, y of left eye, right eye, nose, left and right corner of the mouth, left and right
            as the viewer sees them; (5, 2) float64, in pixels.
    """

    box: npt.NDArray[np.float64]
    score: float
    points: npt.NDArray[np.float64]

    def within(self, height: int, width: int) -> Box:
        """Its box as shares of a picture of this size, to four decimals."""
        left, top, right, bottom = (round(float(end), 4) for end in self.box / (width, height, width, height))
        return left, top, right, bottom

    @property
    def area(self) -> float:
        """Area of the box in square pixels."""
        return float((self.box[2] - self.box[0]) * (self.box[3] - self.box[1]))

    def moved(self, dx: float, dy: float) -> Face:
        """The same face in coordinates whose origin lies dx to the left of and dy above the old one."""
        shift = np.array([dx, dy], dtype=np.float64)
        return Face(box=self.box + np.tile(shift, 2), score=self.score, points=self.points + shift)


class FaceDetector(Protocol):
    """Finds faces and their five landmarks."""

    def detect(self, frames: Frames) -> list[tuple[Face, ...]]:
        """Every face of every frame.

        Args:
            frames: (n, height, width, 3) RGB uint8.

        Returns:
            n tuples, empty where a frame has no face. The faces of a frame do not depend on the
            other frames of the call.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class FoundFace:
    """The face that counts in one frame.

    Attributes:
        face: in the frame's own coordinates, also where it was found with a border.
        border: width and height in pixels of the border it was found with; (0, 0) for the first try.
            `face.moved(*border)` lies on `with_border(frame)`.
    """

    face: Face
    border: tuple[int, int] = (0, 0)


def largest_face(faces: Sequence[Face]) -> Face | None:
    """The face with the largest box; of equal ones the last. None of no faces.

    A stable ascending sort whose last element is taken, as in ConsisID's eval/get_facesim_fid.py @60429e4.
    """
    return sorted(faces, key=lambda face: face.area)[-1] if faces else None


def border_of(height: int, width: int) -> tuple[int, int]:
    """Width and height in pixels of the retry's border: a quarter of each side, rounded down."""
    return int(PAD_SHARE * width), int(PAD_SHARE * height)


def with_border(frames: Frames) -> Frames:
    """Frames inside a grey border, a quarter of each side wide.

    Args:
        frames: (..., height, width, 3) uint8.

    Returns:
        (..., height + 2 * border, width + 2 * border, 3) uint8.
    """
    dx, dy = border_of(*frames.shape[-3:-1])
    sides = [(0, 0)] * (frames.ndim - 3) + [(dy, dy), (dx, dx), (0, 0)]
    return np.pad(frames, sides, constant_values=PAD_GREY)


def find_faces(detector: FaceDetector, frames: Frames) -> list[FoundFace | None]:
    """The largest face of every frame, with one retry inside a grey border.

    Args:
        detector: finds the faces.
        frames: (n, height, width, 3) RGB uint8.

    Returns:
        One entry per frame; None where neither try shows a face.
    """
    found: list[FoundFace | None] = []
    for frame, faces in zip(frames, detector.detect(frames), strict=True):
        face = largest_face(faces)
        if face is not None:
            found.append(FoundFace(face=face))
            continue
        retried = largest_face(detector.detect(with_border(frame)[None])[0])
        dx, dy = border_of(*frame.shape[:2])
        found.append(None if retried is None else FoundFace(face=retried.moved(-dx, -dy), border=(dx, dy)))
    return found
