"""What the videos of one submission may cost, all together, and what they have cost."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ipvg_eval.core.errors import UsageError

_SECONDS, _SECONDS_PER_SAMPLE = 300.0, 10.0
_BYTES, _BYTES_PER_SAMPLE = 2**30, 64 * 2**20
_PIXELS_PER_SAMPLE = 4_000_000_000


class Budget(BaseModel):
    """Limits of one submission; what is None has a default from the number of samples.

    Attributes:
        seconds: waiting for the processes that open and decode its videos; 300, and 10 a sample.
        bytes: size of its videos, unpacked; 1 GiB, and 64 MiB a sample.
        pixels: width times height times frames of its videos; 4e9 a sample, which are 1929 frames of 1080p.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    bytes: int | None = Field(default=None, ge=1)
    pixels: int | None = Field(default=None, ge=1)

    @classmethod
    def parse(cls, text: str) -> Self:
        """A budget from text such as "seconds=3600,pixels=1e12".

        Raises:
            UsageError: it is something else.
        """
        try:
            pairs = [part.split("=") for part in text.split(",")]
            given = {name.strip(): float(number) for name, number in pairs}
            if len(given) < len(pairs) or not given.keys() <= cls.model_fields.keys():
                raise ValueError
            return cls.model_validate(given)
        except (ValueError, ValidationError):
            raise UsageError(
                f"--budget {text!r} is not understood",
                hint="Give positive numbers, such as seconds=3600,bytes=2e10,pixels=1e12; "
                "what is left out has its default.",
            ) from None

    def for_samples(self, count: int) -> Self:
        """The same with every limit filled in, for a test set of so many samples."""
        defaults = {
            "seconds": _SECONDS + _SECONDS_PER_SAMPLE * count,
            "bytes": _BYTES + _BYTES_PER_SAMPLE * count,
            "pixels": _PIXELS_PER_SAMPLE * max(1, count),
        }
        return self.model_copy(
            update={name: value for name, value in defaults.items() if getattr(self, name) is None}
        )


class Spending:
    """What a submission has cost so far, and whether the next video may be opened. Safe for threads."""

    def __init__(self, budget: Budget, sizes: Mapping[str, int]) -> None:
        """Nothing is spent yet.

        Args:
            budget: of the submission.
            sizes: bytes of each video, in the order in which they are opened.
        """
        self._budget = budget.for_samples(len(sizes))
        self._lock = threading.Lock()
        self._seconds, self._pixels = 0.0, 0
        total, self._beyond = 0, set()
        for video, size in sizes.items():
            total += size
            if total > self._most("bytes"):
                self._beyond.add(video)

    def spend(self, *, seconds: float = 0.0, pixels: int = 0) -> None:
        """Note what a video cost."""
        with self._lock:
            self._seconds += seconds
            self._pixels += pixels

    def pay(self, pixels: int) -> str | None:
        """Note the pixels of a video that is open; why they are too many, None if they are not.

        Whatever time it took until then is no reason: that depends on the machine.
        """
        self.spend(pixels=pixels)
        return self._too_many_pixels()

    def refusal(self, video: str) -> str | None:
        """Why this video must not be opened any more, None where it may be."""
        if video in self._beyond:
            return f"the submission's videos are larger than its budget of {self._most('bytes'):,.0f} bytes"
        if self._seconds > self._most("seconds"):
            return f"the submission's videos took longer than its budget of {self._most('seconds'):,.0f} s"
        return self._too_many_pixels()

    def _too_many_pixels(self) -> str | None:
        if self._pixels > self._most("pixels"):
            return f"the submission's videos have more pixels than its budget of {self._most('pixels'):,.0f}"
        return None

    @property
    def share(self) -> float:
        """How much of the seconds or the pixels is used, whichever is more; above 1 where nothing is left."""
        return max(self._seconds / self._most("seconds"), self._pixels / self._most("pixels"))

    def _most(self, name: str) -> float:
        return float(getattr(self._budget, name))
