"""Sizes of the presence judges, as the config.json of their checkpoints states them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipvg_eval.metrics.gme.checkpoint import ARCHITECTURES, configuration

_QWEN2_5_VISION = {
    "depth": 32,
    "hidden_size": 1280,
    "intermediate_size": 3420,
    "num_heads": 16,
    "tokens_per_second": 2,
    "window_size": 112,
    "fullatt_block_indexes": [7, 15, 23, 31],
}
_QWEN2_5_TEXT = {
    "max_position_embeddings": 128000,
    "rms_norm_eps": 1e-6,
    "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]},
}
_QWEN3_SMALL_VISION = {
    "depth": 24,
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_heads": 16,
    "deepstack_visual_indexes": [5, 11, 17],
}
_QWEN3_LARGE_VISION = {
    "depth": 27,
    "hidden_size": 1152,
    "intermediate_size": 4304,
    "num_heads": 16,
    "deepstack_visual_indexes": [8, 16, 24],
}
_QWEN3_TEXT = {
    "vocab_size": 151936,
    "head_dim": 128,
    "num_key_value_heads": 8,
    "max_position_embeddings": 262144,
    "rope_parameters": {
        "rope_type": "default",
        "rope_theta": 5e6,
        "mrope_section": [24, 20, 20],
        "mrope_interleaved": True,
    },
}

_QWEN2: Mapping[str, Mapping[str, Any]] = {
    "qwen2_vl_2b": {**ARCHITECTURES["gme_2b"], "tie_word_embeddings": True},
    "qwen2_vl_7b": {**ARCHITECTURES["gme_7b"], "tie_word_embeddings": False},
}


def _sizes(hidden: int, inner: int, layers: int, heads: int, **more: Any) -> dict[str, Any]:
    return {
        "hidden_size": hidden,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        **more,
    }


_TOWERS: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any], bool]] = {
    "qwen2_5_vl_3b": (
        _QWEN2_5_TEXT | _sizes(2048, 11008, 36, 16, num_key_value_heads=2, vocab_size=151936),
        _QWEN2_5_VISION,
        True,
    ),
    "qwen2_5_vl_7b": (
        _QWEN2_5_TEXT | _sizes(3584, 18944, 28, 28, num_key_value_heads=4, vocab_size=152064),
        _QWEN2_5_VISION,
        False,
    ),
    "qwen3_vl_2b": (_QWEN3_TEXT | _sizes(2048, 6144, 28, 16), _QWEN3_SMALL_VISION, True),
    "qwen3_vl_4b": (_QWEN3_TEXT | _sizes(2560, 9728, 36, 32), _QWEN3_SMALL_VISION, True),
    "qwen3_vl_8b": (_QWEN3_TEXT | _sizes(4096, 12288, 36, 32), _QWEN3_LARGE_VISION, False),
}
"""Text tower, vision tower, and whether the head is the embedding."""


def full_size_configuration(cls: Any, model: str) -> Any:
    """The configuration of a model, an instance of its class in transformers."""
    if model in _QWEN2:
        return configuration(_QWEN2[model])
    text, vision, tied = _TOWERS[model]
    return cls(
        text_config=dict(text),
        vision_config={**vision, "out_hidden_size": text["hidden_size"]},
        tie_word_embeddings=tied,
    )
