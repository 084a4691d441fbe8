"""Where subjects were found in a video, and what they looked like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, kw_only=True, eq=False)
class Appearances:
    """The crops of a sample's subjects, described.

    Attributes:
        indices: the frames that were looked at, ascending.
        rows: (n, subjects, d) float32, the embedding of each match; NaN where the subject was not found.
        detected: whether a detector found them; without one the whole frame is the one subject.
        note: what the rows are of, in plain words.
    """

    indices: tuple[int, ...]
    rows: npt.NDArray[np.float32]
    detected: bool
    note: str
