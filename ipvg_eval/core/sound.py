"""The sound of a video, or of the file that a talking head was driven with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Heard = Literal["driving", "embedded"]
"""Which sound: the test set's, or the one in the submitted file."""

RATE = 16000
"""Samples per second of every sound that is measured."""

LONGEST = 600.0
"""Seconds of the longest sound that is read."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sound:
    """One channel of sound on its picture's clock.

    Attributes:
        samples: (n,) int16, `RATE` a second; the first belongs to the moment of the first picture.
        start: seconds by which the sound in the file began after the picture; what was missing is silent,
            what lay before is left out. 0 for a file without pictures.
        channels: how many the file has.
        codec: FFmpeg's name of its codec.
        note: what a reader must know about it, or None.
    """

    samples: npt.NDArray[np.int16]
    start: float
    channels: int
    codec: str
    note: str | None = None

    @property
    def duration(self) -> float:
        """Its length in seconds."""
        return len(self.samples) / RATE


@dataclass(frozen=True, kw_only=True)
class NoSound:
    """There is no sound, and why."""

    reason: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Sounds:
    """What belongs to one video; a sound that no evaluator asked for is a `NoSound` that says so."""

    driving: Sound | NoSound
    embedded: Sound | NoSound

    def get(self, which: Heard) -> Sound | NoSound:
        """One of the two."""
        return self.driving if which == "driving" else self.embedded
