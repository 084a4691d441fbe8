"""GME's embedding of prompts and frames on transformers' Qwen2-VL.

GME's remote code refuses current transformers, so its recipe is carried out here. It never passes
position ids, and the Qwen2-VL it was published with then counted 0, 1, 2, ... on all three axes of the rotary
embedding, image tokens included. Current transformers would compute two-dimensional
positions for them; the plain ones are therefore passed explicitly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from ipvg_eval.metrics.clip.preprocess import CLIP_MEAN, CLIP_STD
from ipvg_eval.metrics.compilation import compile_blocks
from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.gme.checkpoint import ARCHITECTURES, GmeModel, configuration, load_model, random_model
from ipvg_eval.metrics.gme.preprocess import Patches, patch_values
from ipvg_eval.metrics.gme.tokens import MAX_TOKENS, GmeTokenizer
from ipvg_eval.metrics.runtime import Dtype, Runtime
from ipvg_eval.metrics.timing import stage
from ipvg_eval.metrics.upload import Normalisation, upload

Padding = Literal["right", "left"]
Features = npt.NDArray[np.float32]


class GmeEncoder:
    """One GME model, ready to embed.

    Embeddings are the last hidden state at the closing <|endoftext|>, scaled to length one in the network's
    own floating-point type.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: GmeTokenizer,
        *,
        device: str,
        padding: Padding = "right",
        name: str = "gme",
    ) -> None:
        if model.config.image_token_id != tokenizer.image_pad:
            raise WeightsMissing("the tokenizer and the network disagree on the image token's id")
        self._name = name
        self._device = torch.device(device)
        self._normalise = Normalisation(CLIP_MEAN, CLIP_STD, self._device)
        self._model = model.eval().requires_grad_(False).to(self._device)
        self._padding = padding
        self.tokenizer = tokenizer

    @classmethod
    def load(
        cls, name: GmeModel, runtime: Runtime, *, padding: Padding = "right", dtype: Dtype | None = None
    ) -> GmeEncoder:
        """The named model from its snapshot folder, or at full size with seeded random weights.

        With random weights the tokenizer is a byte-level stand-in.

        Args:
            name: declared snapshot.
            runtime: device, dtype and weight source.
            padding: side on which short rows of a batch are filled.
            dtype: floating-point type of the network; None for the runtime's.

        Raises:
            WeightsMissing: packages or files are missing.
        """
        if runtime.weights is None:
            raise WeightsMissing(f"{name} is needed", hint=f"Run: ipvg-eval weights pull {name}")
        kind: torch.dtype = getattr(torch, dtype or runtime.dtype)
        seed = runtime.weights.random_seed
        if seed is not None:
            model = random_model(configuration(ARCHITECTURES[name]), seed=seed, dtype=kind)
            tokenizer = GmeTokenizer.bytes_only()
        else:
            folder = runtime.weights.path(name)
            model, tokenizer = load_model(folder, dtype=kind), GmeTokenizer.load(folder)
        if runtime.compiled:
            compile_blocks(model)
        return cls(model, tokenizer, device=runtime.device, padding=padding, name=name)

    def texts(self, sequences: Sequence[Sequence[int]]) -> Features:
        """Embeddings of prompts' token ids: (n, d) float32 rows of length one.

        Each sequence is cut to its first 1800 tokens.
        """
        with torch.inference_mode(), stage("network", self._name):
            return self._forward([ids[:MAX_TOKENS] for ids in sequences])

    def images(self, frames: Sequence[Patches]) -> Features:
        """Embeddings of frames: (n, d) float32 rows of length one.

        The bytes of the resized frames cross to the device; they are normalised in float32 and put into
        patches there.
        """
        grids = torch.tensor([[1, frame.grid_height, frame.grid_width] for frame in frames])
        with torch.inference_mode(), stage("network", self._name):
            pictures = [self._normalise(upload(frame.pixels, self._device)) for frame in frames]
            values = torch.cat([patch_values(picture) for picture in pictures])
            return self._forward(
                [self.tokenizer.image(frame.tokens) for frame in frames],
                pixel_values=values.to(self._model.dtype),
                image_grid_thw=grids.to(self._device),
            )

    def _forward(self, sequences: Sequence[Sequence[int]], **vision: torch.Tensor) -> Features:
        ids, mask = (tensor.to(self._device) for tensor in self._rows(sequences))
        rows, length = ids.shape
        positions = torch.arange(length, device=self._device).expand(3, rows, length)
        output = self._model(
            input_ids=ids, attention_mask=mask, position_ids=positions, use_cache=False, **vision
        )
        last = mask.sum(dim=1) - 1 if self._padding == "right" else torch.full_like(mask[:, 0], length - 1)
        pooled = output.last_hidden_state[torch.arange(rows, device=self._device), last]
        features: Features = torch.nn.functional.normalize(pooled, p=2, dim=1).float().cpu().numpy()
        return features

    def _rows(self, sequences: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Token ids and attention mask, (n, longest); short sequences are filled on the padding side."""
        longest = max(len(ids) for ids in sequences)
        rows = torch.full((len(sequences), longest), self.tokenizer.pad)
        mask = torch.zeros_like(rows)
        for row, seen, ids in zip(rows, mask, sequences, strict=True):
            place = slice(0, len(ids)) if self._padding == "right" else slice(longest - len(ids), longest)
            row[place] = torch.tensor(ids)
            seen[place] = 1
        return rows, mask
