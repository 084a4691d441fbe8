"""Identity guidance of TPIGE inside the transformer, under the stock pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from diffusers import WanVACETransformer3DModel
from diffusers.models.modeling_outputs import Transformer2DModelOutput


class IdentityGuidedTransformer(WanVACETransformer3DModel):  # type: ignore[misc]
    """A VACE transformer whose answers carry Wi (cond - weak).

    Source: TPIGE, ACM Multimedia 2025. The weak answer sees the prompt but no reference, and leaves some
    blocks out. The pipeline names each question by `cache_context`: the difference is formed on "cond" and
    added to the answers to "cond" and to "uncond" alike, so that classifier-free guidance at any scale g
    gives uncond + g (cond - uncond) + Wi (cond - weak). It also works where guidance is off and nothing is
    asked under "uncond".

    A subclass and no hook: taking a hook off a module silently switches off the hooks around it, such as
    those of group offload.

    Attributes:
        identity_scale: Wi. 0 is the plain model, without a third pass.
        references: latent frames in front that hold reference pictures.
        skip_blocks: blocks that the weak answer leaves out, with their hints.
    """

    identity_scale: float = 0.0
    references: int = 1
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
            if name == "uncond":
                self._difference = None

    def forward(
        self, *, return_dict: bool = True, **inputs: Any
    ) -> Transformer2DModelOutput | tuple[torch.Tensor]:
        """The transformer's answer, with the identity term where the scale is not 0.

        Args:
            return_dict: give an output object.
            inputs: as `WanVACETransformer3DModel.forward`, by name.
        """
        answer = super().forward(return_dict=False, **inputs)[0]
        if self.identity_scale and self._branch == "cond":
            self._difference = self.identity_scale * (answer.float() - self.weak_answer(**inputs).float())
        if self.identity_scale and self._branch in ("cond", "uncond"):
            assert self._difference is not None, "the pipeline asked for uncond before cond"
            answer = answer + self._difference
        return Transformer2DModelOutput(sample=answer) if return_dict else (answer,)

    def weak_answer(
        self,
        *,
        control_hidden_states: torch.Tensor,
        control_hidden_states_scale: torch.Tensor | None = None,
        **inputs: Any,
    ) -> torch.Tensor:
        """The answer without the reference and without the skipped blocks.

        The control without its first `references` latent frames is what encoding without a reference gives;
        the model pads what is missing at the end, as the authors' program does.

        Args:
            control_hidden_states: (1, 96, references + t, h, w) hints' input.
            control_hidden_states_scale: (hints,), one per block with a hint.
            inputs: the transformer's other inputs.
        """
        layers = list(self.config.vace_layers)
        if control_hidden_states_scale is None:
            control_hidden_states_scale = control_hidden_states.new_ones(len(layers))
        scale = control_hidden_states_scale.clone()
        scale[[layers.index(block) for block in self.skip_blocks if block in layers]] = 0
        # Its own context, so that nothing that is kept per branch mixes the weak answer up with the others.
        with super().cache_context("weak"), passed_over(self, self.skip_blocks):
            answer: torch.Tensor = super().forward(
                return_dict=False,
                control_hidden_states=control_hidden_states[:, :, self.references :],
                control_hidden_states_scale=scale,
                **inputs,
            )[0]
        return answer


class _PassedOver(torch.nn.Module):
    """Stands in for a block and changes nothing.

    A block with hooks still runs, for what they do: group offload prefetches along a fixed order of blocks.
    """

    def __init__(self, block: torch.nn.Module) -> None:
        super().__init__()
        self._block = [block]  # in a list, so that it does not become a child

    def forward(self, hidden_states: torch.Tensor, *rest: Any) -> torch.Tensor:
        if hasattr(self._block[0], "_diffusers_hook"):
            self._block[0](hidden_states, *rest)
        return hidden_states


@contextmanager
def passed_over(transformer: torch.nn.Module, blocks: Sequence[int]) -> Iterator[None]:
    """Leave some of the transformer's blocks out while inside."""
    all_blocks: Any = transformer.blocks
    kept = {index: all_blocks[index] for index in blocks}
    try:
        for index, block in kept.items():
            all_blocks[index] = _PassedOver(block)
        yield
    finally:
        for index, block in kept.items():
            all_blocks[index] = block


def paper_form(guidance: float, scale: float) -> tuple[float, float]:
    """The paper's guidance and Wi that equal the released program's.

    The program computes cfg + s (cfg - weak) with cfg = uncond + g (cond - uncond). That is
    uncond + (1 + s) g (cond - uncond) + s (uncond - weak), and with uncond = cond - (cond - uncond) it is
    uncond + [(1 + s) g - s] (cond - uncond) + s (cond - weak).

    Args:
        guidance: g of the program.
        scale: s of the program.

    Returns:
        guidance and Wi for `IdentityGuidedTransformer`.
    """
    return (1 + scale) * guidance - scale, scale
