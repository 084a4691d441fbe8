"""What the generations of Qwen's vision-language models do differently with a video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.snapshots import transformers

FRAMES_PER_TOKEN = 2
"""Frames that the models merge; the last one is repeated where their number is odd."""

_LEAST_TOKENS, _MOST_TOKENS = 4, 256
"""Tokens of a merged pair of frames: 448 x 448 or 588 x 336 pixels where one has 28 on a side."""


@dataclass(frozen=True, kw_only=True)
class Generation:
    """One generation.

    Attributes:
        title: what people call it.
        network: its class in transformers.
        processor: module and class of its video processor in transformers.
        side: pixels of a token's side.
        total_bounds: whether the processor bounds the pixels of all frames together, not of each.
        system: whether a conversation opens with a system turn where nobody gave one.
        stamped: whether the text names the time of every pair of frames, and fences each pair.
        paced: whether the network is told how many seconds lie between two pairs.
    """

    title: str
    network: str
    processor: tuple[str, str]
    side: int
    total_bounds: bool = False
    system: bool = True
    stamped: bool = False
    paced: bool = False

    def video_processor(self) -> Any:
        """Its video processor, which takes the frames as they are chosen.

        Raises:
            WeightsMissing: transformers is missing, or older than the model.
        """
        module, name = self.processor
        bounds = {"shortest_edge": self._least, "longest_edge": self._most}
        return getattr(transformers(module), name)(
            size=bounds, cap_pixels_per_frame=False, do_sample_frames=False
        )

    def shrink(self, frame: Frames, processor: Any) -> Frames:
        """A frame at the size at which the model sees it, its sides multiples of `side` (bicubic)."""
        size = transformers(".image_utils").SizeDict
        video = torch.from_numpy(np.ascontiguousarray(frame.transpose(2, 0, 1)))[None, None]
        count = 1
        if self.total_bounds:  # it refuses a single frame
            count = FRAMES_PER_TOKEN
            video = video.expand(-1, count, -1, -1, -1)
        small = processor.resize(
            video,
            size(shortest_edge=self._least * count, longest_edge=self._most * count),
            processor.resample,
            factor=self.side,
            temporal_factor=FRAMES_PER_TOKEN,
        )[0, 0]
        return np.ascontiguousarray(small.permute(1, 2, 0).numpy())

    def stamps(self, seconds: Sequence[float]) -> list[float]:
        """The time that the text names before each pair of frames; empty where it names none."""
        if not self.stamped:
            return []
        padded = [*seconds, *[seconds[-1]] * (-len(seconds) % FRAMES_PER_TOKEN)]
        return [
            sum(padded[i : i + FRAMES_PER_TOKEN]) / FRAMES_PER_TOKEN
            for i in range(0, len(padded), FRAMES_PER_TOKEN)
        ]

    def pace(self, seconds: Sequence[float], count: int) -> dict[str, torch.Tensor]:
        """What the network is told of the seconds between pairs, for `count` copies of the video."""
        if not self.paced:
            return {}
        apart = (seconds[-1] - seconds[0]) / (len(seconds) - 1) if len(seconds) > 1 else 1.0
        return {"second_per_grid_ts": torch.full((count,), FRAMES_PER_TOKEN * apart, dtype=torch.float64)}

    @property
    def _least(self) -> int:
        return _LEAST_TOKENS * self.side**2

    @property
    def _most(self) -> int:
        return _MOST_TOKENS * self.side**2


_QWEN2_PROCESSOR = (".models.qwen2_vl.video_processing_qwen2_vl", "Qwen2VLVideoProcessor")

GENERATIONS: Mapping[str, Generation] = {
    "qwen2_vl": Generation(
        title="Qwen2-VL", network="Qwen2VLForConditionalGeneration", processor=_QWEN2_PROCESSOR, side=28
    ),
    "qwen2_5_vl": Generation(
        title="Qwen2.5-VL",
        network="Qwen2_5_VLForConditionalGeneration",
        processor=_QWEN2_PROCESSOR,
        side=28,
        paced=True,
    ),
    "qwen3_vl": Generation(
        title="Qwen3-VL",
        network="Qwen3VLForConditionalGeneration",
        processor=(".models.qwen3_vl.video_processing_qwen3_vl", "Qwen3VLVideoProcessor"),
        side=32,
        total_bounds=True,
        system=False,
        stamped=True,
    ),
}
"""By the beginning of their models' names."""
