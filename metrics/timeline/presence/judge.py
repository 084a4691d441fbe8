"""P(yes): how sure a vision-language model is that frames show an action, from one forward pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
import torch

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.compilation import compile_blocks
from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.runtime import Runtime, weight_source
from ipvg_eval.metrics.snapshots import VERIFY
from ipvg_eval.metrics.timeline.presence.checkpoint import PresenceModel, generation, load
from ipvg_eval.metrics.timeline.presence.generations import Generation
from ipvg_eval.metrics.timeline.presence.question import QUESTION_VERSION, QuestionTokenizer
from ipvg_eval.metrics.timing import stage

FRAMES_PER_EVENT: Final = 8
"""Frames of an event that the model is shown, at most."""

_VIDEO: Final = 2

_USUAL_PACE: Final = 0.5
"""Seconds from frame to frame where nobody says: the two frames a second of Qwen's own processors."""


class PresenceJudge:
    """Answers whether frames show an action.

    Attributes:
        weights: sha256 of the snapshot by name.
        how: the model and the wording of the question, for the rows.
    """

    def __init__(
        self,
        network: Any,
        tokenizer: QuestionTokenizer,
        *,
        generation: Generation,
        weights: Mapping[str, str],
    ) -> None:
        if network.config.video_token_id != tokenizer.video_pad:
            raise WeightsMissing(
                "the tokenizer and the network disagree on the video token's id", hint=VERIFY
            )
        self.weights = weights
        self.how = f"P(yes) of {', '.join(weights)}, question {QUESTION_VERSION}"
        self._network = network
        self._tokenizer = tokenizer
        self._generation = generation

    @classmethod
    def load(cls, model: PresenceModel, runtime: Runtime) -> PresenceJudge:
        """By name; see `ipvg_eval.metrics.timeline.presence.checkpoint.load`.

        Raises:
            WeightsMissing: packages or files are missing.
        """
        hashes: dict[str, str] = {model: weight_source(runtime, model).sha256(model)}
        network, tokenizer = load(model, runtime)
        if runtime.compiled:
            compile_blocks(network)
        return cls(network, tokenizer, generation=generation(model), weights=hashes)

    def shrink(self, frame: Frames) -> Frames:
        """A frame at the size at which the model sees it, by its own video processor in transformers.

        Args:
            frame: (height, width, 3) uint8.

        Returns:
            (height', width', 3) uint8; sides are multiples of 28, of Qwen3-VL of 32.
        """
        return self._generation.shrink(frame, self._processor)

    def presence(
        self, frames: Sequence[Frames], action: str, seconds: Sequence[float] | None = None
    ) -> float:
        """As `presences`, of one action."""
        return self.presences(frames, [action], seconds)[0]

    @torch.inference_mode()
    def presences(
        self, frames: Sequence[Frames], actions: Sequence[str], seconds: Sequence[float] | None = None
    ) -> list[float]:
        """Probability of yes against no as the next token, for several actions in one forward pass.

        The first tokens of every spelling of an answer count together; all other tokens are left out.

        Args:
            frames: shrunk frames in order of time, at least one; the model merges them in pairs.
            actions: what may be shown; at least one.
            seconds: when each frame is shown, ascending; None for half a second apart. Qwen2.5-VL and
                Qwen3-VL are told, Qwen2-VL is not.

        Returns:
            0 to 1 each; NaN where the network's output is not finite.
        """
        if seconds is None:
            seconds = [_USUAL_PACE * place for place in range(len(frames))]
        video = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2)
        seen = self._processor(videos=[video], do_resize=False, return_tensors="pt")
        grid = seen["video_grid_thw"]
        stamps, patches = self._generation.stamps(seconds), int(grid.prod()) // 4
        asked = [
            self._tokenizer.conversation(
                action, patches=patches, stamps=stamps, system=self._generation.system
            )
            for action in actions
        ]
        ids, mask = _padded(asked, filler=self._tokenizer.filler)
        lasts = mask.sum(dim=1) - 1
        looked_at = torch.unique(lasts)
        device, count = self._network.device, len(asked)
        with stage("network", ", ".join(self.weights)):
            logits = self._network(
                input_ids=ids.to(device),
                attention_mask=mask.to(device),
                mm_token_type_ids=(ids == self._tokenizer.video_pad).int().to(device) * _VIDEO,
                pixel_values_videos=seen["pixel_values_videos"]
                .to(device, self._network.dtype)
                .repeat(count, 1),
                video_grid_thw=grid.to(device).repeat(count, 1),
                use_cache=False,
                logits_to_keep=looked_at.to(device),
                **self._generation.pace(seconds, count),
            ).logits
            rows = logits[torch.arange(count), torch.searchsorted(looked_at, lasts)]
            answers = (self._tokenizer.yes, self._tokenizer.no)
            yes, no = (rows[:, words].double().logsumexp(1) for words in answers)
            return [float(value) for value in torch.sigmoid(yes - no)]

    @cached_property
    def _processor(self) -> Any:
        return self._generation.video_processor()


def _padded(rows: Sequence[Sequence[int]], *, filler: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of one length and where they are filled: (n, length); attention is causal and sees no filler."""
    length = max(len(row) for row in rows)
    ids = torch.tensor([[*row, *[filler] * (length - len(row))] for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (length - len(row)) for row in rows])
    return ids, mask
