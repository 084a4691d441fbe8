"""What is generated every time, and what came of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ipvg_eval.core.combination import Combination, combine
from ipvg_eval.scoring import VideoMeasurements

if TYPE_CHECKING:
    from ipvg_eval.scoring.scorer import Pictured

_GIB = 2**30


@dataclass(frozen=True, kw_only=True, eq=False)
class FixedSample:
    """One video of the fixed set.

    Attributes:
        prompt: its text prompt.
        reference: one reference picture or several (paths, Pillow's pictures, arrays, tensors).
        seed: of the generator, the same at every step.
        inputs: what else the pipeline is called with (`image`, `num_frames`, `guidance_scale`, ...).
    """

    prompt: str
    reference: Pictured | Sequence[Pictured] = ()
    seed: int = 0
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The fixed set, generated and measured at one step.

    Attributes:
        step: when.
        means: every metric that any video has, and the weighted sums of these means.
        videos: what was measured of each.
        loading: seconds that networks took to load; 0 where they were there.
        generating: seconds in the pipeline.
        scoring: seconds of measuring.
        peak: bytes of GPU memory that were allocated at once, the training's included; None without a GPU.
    """

    step: int
    means: Mapping[str, float]
    videos: tuple[VideoMeasurements, ...]
    loading: float
    generating: float
    scoring: float
    peak: int | None

    @property
    def seconds(self) -> float:
        """What it cost, all together."""
        return self.loading + self.generating + self.scoring

    def __str__(self) -> str:
        parts = f"{self.generating:.1f} generating, {self.scoring:.1f} scoring, {self.loading:.1f} loading"
        memory = "" if self.peak is None else f", {self.peak / _GIB:.1f} GiB on the GPU at most"
        lines = [f"step {self.step}: {len(self.videos)} videos in {self.seconds:.1f} s ({parts}){memory}"]
        reasons: dict[str, list[str]] = {}
        for name in self.videos[0].values if self.videos else ():
            if name not in self.means:
                first = next(one.missing[name] for one in self.videos if name in one.missing)
                reasons.setdefault(first, []).append(name)
        return "\n  ".join([*lines, *(f"no {', '.join(names)}: {why}" for why, names in reasons.items())])


def means_of(videos: Sequence[VideoMeasurements], combined: Sequence[Combination]) -> dict[str, float]:
    """The mean of every metric over the videos that have it, as `score` has it; without those of none."""
    sums = {combination.name for combination in combined}
    means: dict[str, float | None] = {}
    for name in dict.fromkeys(name for one in videos for name in one.values if name not in sums):
        values = [value for one in videos if (value := one.values.get(name)) is not None]
        means[name] = math.fsum(values) / len(values) if values else None
    for combination in combined:
        means[combination.name] = combine(combination, means).value
    return {name: mean for name, mean in means.items() if mean is not None}
