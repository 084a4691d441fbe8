"""How far a run is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["prompts", "references", "pictures", "videos"]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a stage is.

    Attributes:
        stage: what is being made.
        done: how many are through, failed ones included.
        total: of how many.
        failed: samples that failed so far, in all stages.
        seconds_left: of this stage, None before the first step is through.
        step: steps of the sample at hand that are done, and how many it has; None between samples.
    """

    stage: Stage
    done: int
    total: int
    failed: int
    seconds_left: float | None
    step: tuple[int, int] | None = None

    @property
    def through(self) -> float:
        """Samples that are through, the one at hand by its share."""
        return self.done + (self.step[0] / self.step[1] if self.step else 0.0)


OnProgress = Callable[[Progress], object]
