"""GME's networks: published snapshots, and the same architectures with random weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch

from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.third_party import published_module

GmeModel = Literal["gme_2b", "gme_7b"]

ARCHITECTURES: Mapping[GmeModel, Mapping[str, Any]] = {
    "gme_2b": {
        "vocab_size": 151936,
        "hidden_size": 1536,
        "intermediate_size": 8960,
        "num_hidden_layers": 28,
        "num_attention_heads": 12,
        "num_key_value_heads": 2,
    },
    "gme_7b": {
        "vocab_size": 152064,
        "hidden_size": 3584,
        "intermediate_size": 18944,
        "num_hidden_layers": 28,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
    },
}
"""Text towers of Qwen2-VL 2B and 7B; what they share is in `configuration`."""


def configuration(text: Mapping[str, Any], vision: Mapping[str, Any] | None = None) -> Any:
    """A Qwen2VLConfig.

    Args:
        text: the text tower's sizes, one of `ARCHITECTURES` or smaller.
        vision: changes to the vision tower, whose full size is 32 layers, width 1280, 16 heads.
    """
    classes = _transformers()
    shared = {
        "hidden_act": "silu",
        "max_position_embeddings": 32768,
        "rms_norm_eps": 1e-6,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]},
    }
    tower = {
        "depth": 32,
        "embed_dim": 1280,
        "num_heads": 16,
        "mlp_ratio": 4,
        "patch_size": 14,
        "spatial_merge_size": 2,
        "temporal_patch_size": 2,
        "hidden_size": text["hidden_size"],
    }
    return classes.Qwen2VLConfig(text_config=shared | dict(text), vision_config=tower | dict(vision or {}))


def random_model(config: Any, *, seed: int, dtype: torch.dtype) -> Any:
    """A Qwen2VLModel with seeded random weights on the CPU; the global random state is left as it was."""
    classes = _transformers()
    with torch.random.fork_rng(devices=[]):
        # torch.manual_seed would also reseed every GPU, which the fork does not undo.
        torch.default_generator.manual_seed(seed)
        return classes.Qwen2VLModel._from_config(config, dtype=dtype, attn_implementation="sdpa")


def load_model(folder: Path, *, dtype: torch.dtype) -> Any:
    """The Qwen2VLModel of a snapshot folder (config.json and safetensors); none of its code is run.

    Raises:
        WeightsMissing: files are missing, or the checkpoint does not fill the network.
    """
    classes = _transformers()
    hint = "Run: ipvg-eval weights verify"
    try:
        model, report = classes.Qwen2VLModel.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            dtype=dtype,
            attn_implementation="sdpa",
            output_loading_info=True,
        )
    except OSError as error:
        raise WeightsMissing(f"{folder}: this snapshot cannot be loaded ({error})", hint=hint) from error
    wrong = sorted(report["missing_keys"]) + sorted(str(key) for key in report["mismatched_keys"])
    if wrong:
        raise WeightsMissing(f"{folder}: the checkpoint lacks {', '.join(wrong[:3])}", hint=hint)
    return model


def _transformers() -> Any:
    return published_module("transformers", package="transformers")
