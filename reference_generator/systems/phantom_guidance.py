"""Phantom's references and guidance inside the transformer, under the stock text-to-video pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from diffusers import WanTransformer3DModel
from diffusers.models.modeling_outputs import Transformer2DModelOutput

from ipvg_eval.reference_generator.systems.identity_guidance import passed_over


class PhantomTransformer(WanTransformer3DModel):  # type: ignore[misc]
    """A Wan text-to-video transformer whose last latent frames are the reference pictures.

    Source: Phantom-video/Phantom. Its guidance is neg + gi (pos_i - neg) + gt (pos_it - pos_i), where neg
    sees neither pictures nor prompt, pos_i the pictures and pos_it both. With the pipeline's guidance scale
    as gt this is classifier-free guidance between pos_it and
    uncond = pos_i - (gi - 1) / (gt - 1) (pos_i - neg), which is what "uncond" is answered with.

    Call the pipeline with 4 n more frames for n references, and drop the last 4 n.

    With identity guidance, Wi (pos_it - weak) comes on top, as TPIGE applies it to Phantom: weak sees the
    prompt and no picture, and leaves some blocks out.

    Attributes:
        references: (1, channels, n, h, w) latents of the pictures; None is the plain model.
        image_guidance: gi.
        text_guidance: gt, above 1.
        identity_scale: Wi; 0 is Phantom, without a further pass.
        skip_blocks: blocks that the weak answer leaves out.
    """

    references: torch.Tensor | None = None
    image_guidance: float = 5.0
    text_guidance: float = 7.5
    identity_scale: float = 0.0
    skip_blocks: tuple[int, ...] = (2,)

    _branch: str | None = None
    _difference: torch.Tensor | None = None

    @contextmanager
    def cache_context(self, name: str, **details: Any) -> Iterator[None]:
        """Name the question that is asked inside."""
        outer, self._branch = self._branch, name
        try:
            with super().cache_context(name, **details):
                yield
        finally:
            self._branch = outer

    def forward(
        self, *, hidden_states: torch.Tensor, return_dict: bool = True, **inputs: Any
    ) -> Transformer2DModelOutput | tuple[torch.Tensor]:
        """The transformer's answer; its last latent frames mean nothing.

        Args:
            hidden_states: (1, channels, t + n, h, w).
            return_dict: give an output object.
            inputs: as `WanTransformer3DModel.forward`, by name.
        """
        if self.references is None:
            answer = self._answer(hidden_states, inputs)
        else:
            count = self.references.shape[2]
            video, pictures = hidden_states[:, :, :-count], self.references.to(hidden_states)
            answer = self._answer(torch.cat([video, pictures], 2), inputs)
            without = torch.cat([video, torch.zeros_like(pictures)], 2)
            if self._branch == "cond" and self.identity_scale:
                with super().cache_context("weak"), passed_over(self, self.skip_blocks):
                    weak = self._answer(without, inputs)
                self._difference = self.identity_scale * (answer.float() - weak.float())
            if self._branch == "uncond":
                # Its own context, so that a cache does not mix the two answers up.
                with super().cache_context("nothing"):
                    nothing = self._answer(without, inputs)
                share = (self.image_guidance - 1) / (self.text_guidance - 1)
                answer = answer.float() - share * (answer.float() - nothing.float())
            if self.identity_scale:
                assert self._difference is not None, "the pipeline asked for uncond before cond"
                answer = answer + self._difference  # in both answers, so that no scale multiplies it
        return Transformer2DModelOutput(sample=answer) if return_dict else (answer,)

    def _answer(self, hidden_states: torch.Tensor, inputs: dict[str, Any]) -> torch.Tensor:
        answer: torch.Tensor = super().forward(hidden_states=hidden_states, return_dict=False, **inputs)[0]
        return answer
