"""CLIP's image and text towers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from metrics.clip.tokens import CONTEXT
from metrics.errors import WeightsMissing
from metrics.runtime import Dtype, Runtime
from metrics.third_party import published_module

ClipModel = Literal["clip_vit_b16", "clip_vit_b32"]

ARCHITECTURES: Mapping[ClipModel, str] = {
    "clip_vit_b16": "ViT-B-16-quickgelu",
    "clip_vit_b32": "ViT-B-32-quickgelu",
}
"""open_clip's name for each declared weight: OpenAI's checkpoints, trained with the quick GELU."""

Features = npt.NDArray[np.float32]
_PACKAGE = "open_clip_torch"


class ClipEncoder:
    """One CLIP model, ready to encode.

    Attributes:
        logit_scale: exp of the learned scale; 100 for OpenAI's checkpoints.
    """

    def __init__(self, model: Any, *, device: str, dtype: Dtype) -> None:
        self._device = torch.device(device)
        self._dtype: torch.dtype = getattr(torch, dtype)
        self.logit_scale = float(model.logit_scale.detach().double().exp())
        self._model = model.eval().requires_grad_(False).to(device=self._device, dtype=self._dtype)

    @classmethod
    def load(cls, name: ClipModel, runtime: Runtime) -> ClipEncoder:
        """The named model with published weights, or with seeded random ones where the run asks for them.

        Args:
            name: declared weight, a state dict in open_clip's layout (.safetensors, or a pickle
                that loads with weights_only).
            runtime: device, dtype and weight source.

        Raises:
            WeightsMissing: open_clip or the file is not here, or the file is another model's.
        """
        if runtime.weights is None:
            raise WeightsMissing(f"{name} is needed", hint=f"Run: ipvg-eval weights pull {name}")
        seed = runtime.weights.random_seed
        if seed is not None:
            model = build(name, seed=seed)
        else:
            path = runtime.weights.path(name)
            model = build(name)
            try:
                model.load_state_dict(_state_dict(path))
            except RuntimeError as error:
                raise WeightsMissing(
                    f"{path}: this is not {ARCHITECTURES[name]} in open_clip's layout ({str(error)[:200]})",
                    hint="Run: ipvg-eval weights verify",
                ) from error
        return cls(model, device=runtime.device, dtype=runtime.dtype)

    @torch.inference_mode()
    def images(self, pixels: Sequence[npt.NDArray[np.float32]]) -> Features:
        """Image embeddings, not normalised: n arrays (3, 224, 224) to (n, 512) float32."""
        batch = torch.from_numpy(np.stack(pixels)).to(device=self._device, dtype=self._dtype)
        return _features(self._model.encode_image(batch))

    @torch.inference_mode()
    def texts(self, sequences: Sequence[Sequence[int]]) -> Features:
        """Text embeddings, not normalised: n token sequences of at most 77 ids to (n, 512) float32.

        The embedding is read at the end token, which has the largest id, and attention is causal:
        what fills the row behind it does not matter.
        """
        batch = torch.zeros((len(sequences), CONTEXT), dtype=torch.long)
        for row, ids in zip(batch, sequences, strict=True):
            row[: len(ids)] = torch.tensor(ids)
        return _features(self._model.encode_text(batch.to(self._device)))


def build(name: ClipModel, *, seed: int = 0) -> Any:
    """The full-size network with seeded random weights, float32 on the CPU.

    The global random state is left as it was.
    """
    config = published_module("open_clip", package=_PACKAGE).get_model_config(ARCHITECTURES[name])
    with torch.random.fork_rng(devices=[]):
        # torch.manual_seed would also reseed every GPU, which the fork does not undo.
        torch.default_generator.manual_seed(seed)
        return published_module("open_clip.model", package=_PACKAGE).CLIP(**config)


def _features(tensor: torch.Tensor) -> Features:
    return tensor.float().cpu().numpy()


def _state_dict(path: Path) -> dict[str, torch.Tensor]:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    state: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state
