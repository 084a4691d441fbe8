"""Cross-attention along a timeline: every latent frame reads its own event's text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch


class TimelineProcessor:
    """A cross-attention processor over several texts that stand end to end.

    Args:
        base: the processor that does the attention.
        frame_events: index of the text of each latent frame.
        text_length: tokens of one text.
    """

    def __init__(self, base: Any, frame_events: Sequence[int], text_length: int) -> None:
        self.base = base
        self._frame_events = tuple(frame_events)
        self._text_length = text_length
        # diffusers sets and reads these on processors.
        self._attention_backend = getattr(base, "_attention_backend", None)
        self._parallel_config = getattr(base, "_parallel_config", None)

    def __call__(
        self,
        attn: Any,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        rotary_emb: Any = None,
    ) -> torch.Tensor:
        """The attention's answer.

        Args:
            attn: the attention module.
            hidden_states: (1, latent frames times tokens per frame, d).
            encoder_hidden_states: (1, texts times `text_length`, d). One text, such as the negative prompt,
                is read by all frames.
            attention_mask: handed on.
            rotary_emb: handed on; cross-attention has none.
        """
        if encoder_hidden_states.shape[1] == self._text_length:
            answer: torch.Tensor = self.base(
                attn, hidden_states, encoder_hidden_states, attention_mask, rotary_emb
            )
            return answer
        texts = torch.split(encoder_hidden_states, self._text_length, dim=1)
        frames = torch.unflatten(hidden_states, 1, (len(self._frame_events), -1))
        answers = torch.empty_like(frames)
        for event in sorted(set(self._frame_events)):
            places = [place for place, index in enumerate(self._frame_events) if index == event]
            part = self.base(attn, frames[:, places].flatten(1, 2), texts[event], attention_mask, rotary_emb)
            answers[:, places] = part.unflatten(1, (len(places), -1))
        return answers.flatten(1, 2)


@contextmanager
def timeline_attention(
    transformers: Sequence[Any], frame_events: Sequence[int], text_length: int
) -> Iterator[None]:
    """Let every cross-attention of the transformers follow a timeline while inside.

    Args:
        transformers: diffusers transformers.
        frame_events: index of the text of each latent frame.
        text_length: tokens of one text.
    """
    kept = [(transformer, dict(transformer.attn_processors)) for transformer in transformers]
    try:
        for transformer, processors in kept:
            transformer.set_attn_processor(
                {
                    name: TimelineProcessor(base, frame_events, text_length) if ".attn2." in name else base
                    for name, base in processors.items()
                }
            )
        yield
    finally:
        for transformer, processors in kept:
            transformer.set_attn_processor(dict(processors))
