"""VideoScore's network: the published snapshot, and full size with random weights.

The published class is Mantis's Idefics2ForSequenceClassification: an Idefics2Model under `model` and a linear
layer `score` on its last hidden state (TIGER-AI-Lab/Mantis mantis/models/idefics2/modeling_idefics2.py
lines 2017-2223 @f3a3192). transformers has the Idefics2Model; the layer is put on it here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import torch

from ipvg_eval.metrics.checkpoint import with_seed
from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.snapshots import VERIFY, load_snapshot, random_network, transformers
from ipvg_eval.metrics.timeline.video_score.spec import VIDEO_SCORES

DIMENSIONS: Final = len(VIDEO_SCORES)

_VISION: Final = {
    "hidden_size": 1152,
    "intermediate_size": 4304,
    "num_hidden_layers": 27,
    "num_attention_heads": 16,
    "image_size": 980,
    "patch_size": 14,
}
_TEXT: Final = {
    "model_type": "mistral",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 32003,
    "max_position_embeddings": 32768,
    "rms_norm_eps": 1e-5,
    "pad_token_id": 0,
    "sliding_window": 4096,
}
_RESAMPLER: Final = {"hidden_size": 4096, "rms_norm_eps": 1e-5, "resampler_n_latents": 64}


def full_size() -> Any:
    """The Idefics2Config of Idefics2-8B, on which VideoScore was trained."""
    return transformers().Idefics2Config(
        text_config=dict(_TEXT), vision_config=dict(_VISION), perceiver_config=dict(_RESAMPLER)
    )


def random_parts(config: Any, *, seed: int, dtype: torch.dtype, device: str) -> tuple[Any, torch.nn.Linear]:
    """The Idefics2Model of a configuration and a head, with seeded random weights."""
    network = random_network(transformers().Idefics2Model, config, seed=seed, dtype=dtype, device=device)
    size = config.text_config.hidden_size
    head = with_seed(seed, lambda: torch.nn.Linear(size, DIMENSIONS, dtype=dtype))
    return network, head.requires_grad_(False).to(device)


def load_parts(folder: Path, *, dtype: torch.dtype, device: str) -> tuple[Any, torch.nn.Linear]:
    """The Idefics2Model and the head of a snapshot folder; none of its code is run.

    Raises:
        WeightsMissing: files are missing, or they do not hold a network with a head of five values.
    """
    network = load_snapshot(transformers().Idefics2Model, folder, dtype=dtype, device=device)
    weight, bias = (_tensor(folder, name) for name in ("score.weight", "score.bias"))
    wanted = (DIMENSIONS, network.config.text_config.hidden_size)
    if tuple(weight.shape) != wanted or tuple(bias.shape) != wanted[:1]:
        raise WeightsMissing(f"{folder}: its head is {tuple(weight.shape)}, not {wanted}", hint=VERIFY)
    head = torch.nn.Linear(wanted[1], wanted[0], device="meta")
    head.load_state_dict({"weight": weight, "bias": bias}, assign=True)
    return network, head.requires_grad_(False).to(device=device, dtype=dtype)


def _tensor(folder: Path, name: str) -> torch.Tensor:
    """One tensor of the snapshot, from the shard that holds it."""
    from safetensors import SafetensorError, safe_open

    index = folder / "model.safetensors.index.json"
    try:
        shard = json.loads(index.read_text("utf-8"))["weight_map"][name] if index.is_file() else None
        with safe_open(folder / (shard or "model.safetensors"), framework="pt") as file:
            tensor: torch.Tensor = file.get_tensor(name)
            return tensor
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise WeightsMissing(f"{folder}: the checkpoint lacks {name} ({error})", hint=VERIFY) from error
