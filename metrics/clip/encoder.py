"""CLIP's image and text towers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from ipvg_eval.metrics.checkpoint import fill, with_seed
from ipvg_eval.metrics.clip.preprocess import CLIP_MEAN, CLIP_STD
from ipvg_eval.metrics.clip.tokens import CONTEXT
from ipvg_eval.metrics.compilation import compile_blocks
from ipvg_eval.metrics.runtime import Dtype, Runtime, weight_source
from ipvg_eval.metrics.third_party import published_module
from ipvg_eval.metrics.timing import stage
from ipvg_eval.metrics.upload import Normalisation, planar, upload

ClipModel = Literal["clip_vit_b16", "clip_vit_b32"]
"""The networks of published CLIPScores."""

ClipNetwork = Literal["clip_vit_b16", "clip_vit_b32", "clip_vit_l14"]

ARCHITECTURES: Mapping[ClipNetwork, str] = {
    "clip_vit_b16": "ViT-B-16-quickgelu",
    "clip_vit_b32": "ViT-B-32-quickgelu",
    "clip_vit_l14": "ViT-L-14-quickgelu",
}
"""open_clip's name for each declared weight: OpenAI's checkpoints, trained with the quick GELU."""

Features = npt.NDArray[np.float32]
_PACKAGE = "open_clip_torch"


class ClipEncoder:
    """One CLIP model, ready to encode. Its embeddings have d = 512 numbers, 768 for ViT-L/14.

    Attributes:
        logit_scale: exp of the learned scale; 100 for OpenAI's checkpoints.
    """

    def __init__(self, model: Any, *, device: str, dtype: Dtype, name: str = "clip") -> None:
        self._name = name
        self._device = torch.device(device)
        self._normalise = Normalisation(CLIP_MEAN, CLIP_STD, self._device)
        self._dtype: torch.dtype = getattr(torch, dtype)
        self.logit_scale = float(model.logit_scale.detach().double().exp())
        self._model = model.eval().requires_grad_(False).to(device=self._device, dtype=self._dtype)

    @classmethod
    def load(cls, name: ClipNetwork, runtime: Runtime) -> ClipEncoder:
        """The named model with published weights, or with seeded random ones where the run asks for them.

        Args:
            name: declared weight, a state dict in open_clip's layout (.safetensors, or a pickle
                that loads with weights_only).
            runtime: device, dtype and weight source.

        Raises:
            WeightsMissing: open_clip or the file is not here, or the file is another model's.
        """
        source = weight_source(runtime, name)
        model = build(name, seed=source.random_seed or 0)
        if source.random_seed is None:
            fill(model, source.path(name))
        if runtime.compiled:
            compile_blocks(model)
        return cls(model, device=runtime.device, dtype=runtime.dtype, name=name)

    @torch.inference_mode()
    def images(self, pixels: Sequence[npt.NDArray[np.uint8]]) -> Features:
        """Image embeddings, not normalised: n pictures (224, 224, 3) uint8 to (n, d) float32.

        The bytes cross to the device and are normalised there, in float32.
        """
        with stage("network", self._name):
            batch = planar(self._normalise(upload(np.stack(pixels), self._device)))
            return _features(self._model.encode_image(batch.to(self._dtype)))

    @torch.inference_mode()
    def texts(self, sequences: Sequence[Sequence[int]]) -> Features:
        """Text embeddings, not normalised: n token sequences of at most 77 ids to (n, d) float32.

        The embedding is read at the end token, which has the largest id, and attention is causal:
        what fills the row behind it does not matter.
        """
        batch = torch.zeros((len(sequences), CONTEXT), dtype=torch.long)
        for row, ids in zip(batch, sequences, strict=True):
            row[: len(ids)] = torch.tensor(ids)
        with stage("network", self._name):
            return _features(self._model.encode_text(batch.to(self._device)))


def build(name: ClipNetwork, *, seed: int = 0) -> Any:
    """The full-size network with seeded random weights, float32 on the CPU.

    The global random state is left as it was.
    """
    config = published_module("open_clip", package=_PACKAGE).get_model_config(ARCHITECTURES[name])
    clip = published_module("open_clip.model", package=_PACKAGE).CLIP
    return with_seed(seed, lambda: clip(**config))


def _features(tensor: torch.Tensor) -> Features:
    return tensor.float().cpu().numpy()
