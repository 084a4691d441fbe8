"""What is known of a video, and what a measurement of it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SUBMISSION_FILE = "file: "
"""Begins the name of a file that belongs to one submission: a run records its hash and goes on with no other,
but the runs of two submissions compare."""

Frames = npt.NDArray[np.uint8]
"""RGB frames, (n, height, width, 3), uint8."""


@dataclass(frozen=True, kw_only=True)
class ClipInfo:
    """What is known of a video before its frames are decoded.

    Attributes:
        frame_count: number of frames in presentation order.
        width: width in pixels after rotation.
        height: height in pixels after rotation.
        fps: mean frame rate in frames per second.
        duration: length in seconds.
        times: presentation time of every frame in seconds, from the first frame; (frame_count,).
    """

    frame_count: int
    width: int
    height: int
    fps: float
    duration: float
    times: tuple[float, ...]


Box = tuple[float, float, float, float]
"""Left, top, right, bottom as shares of a picture's width and height; a face may reach beyond its edges."""


@dataclass(frozen=True, kw_only=True)
class FrameValues:
    """A measurement frame by frame.

    Attributes:
        indices: frame indices, ascending.
        values: one value per index; None where the frame has none (no face, for example).
        boxes: where in each frame the measured thing was found, None where it was not; empty where the
            measurement is of whole frames.
    """

    indices: tuple[int, ...]
    values: tuple[float | None, ...]
    boxes: tuple[Box | None, ...] = ()

    def __post_init__(self) -> None:
        if len(self.indices) != len(self.values):
            raise ValueError(f"{len(self.indices)} indices for {len(self.values)} values")
        if len(self.boxes) not in (0, len(self.indices)):
            raise ValueError(f"{len(self.indices)} indices for {len(self.boxes)} boxes")


@dataclass(frozen=True, kw_only=True, eq=False)
class FrameFeatures:
    """The embeddings a measurement was computed from, kept so that it can be recombined later.

    Attributes:
        indices: frame indices of the rows, ascending.
        rows: (n, d) float32, one row per index; without indices the mean over all frames, (1, d).
        reference: (d,) float32 of the reference, (m, d) of several, or None where the metric has none.
        reference_rows: (m, d) float32 of the test set's own video, or None likewise.
    """

    indices: tuple[int, ...]
    rows: npt.NDArray[np.float32]
    reference: npt.NDArray[np.float32] | None = None
    reference_rows: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One number about one video, or none and the reason.

    Attributes:
        name: name of the metric's spec.
        value: the number, or None.
        reason: why there is no number; None exactly where there is one.
        note: what a reader must know about a number that is there (a flag on the row), or None.
        per_frame: the values behind it, where the metric has any.
        features: the embeddings behind it, where they are worth keeping.
        broken: whether the code that measures it broke; there may be a number another time.
    """

    name: str
    value: float | None
    reason: str | None = None
    note: str | None = None
    per_frame: FrameValues | None = None
    features: FrameFeatures | None = None
    broken: bool = False

    def __post_init__(self) -> None:
        if (self.value is None) != (self.reason is not None):
            raise ValueError(f"{self.name}: a measurement has either a value or a reason")
        if self.value is not None and not np.isfinite(self.value):
            raise ValueError(f"{self.name}: {self.value} is not a finite number")
