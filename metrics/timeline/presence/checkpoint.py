"""Qwen2-VL with its language head: published snapshots, and full size with random weights."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final, Literal

import torch

from ipvg_eval.metrics.gme.checkpoint import ARCHITECTURES, configuration
from ipvg_eval.metrics.runtime import Runtime, weight_source
from ipvg_eval.metrics.snapshots import load_snapshot, random_network, transformers
from ipvg_eval.metrics.timeline.presence.question import QuestionTokenizer

PresenceModel = Literal["qwen2_vl_2b", "qwen2_vl_7b"]

DTYPE: Final = torch.bfloat16
"""The floating-point type that the checkpoints are stored in; the runtime's does not count."""

_SIZES: Final = MappingProxyType(
    {
        "qwen2_vl_2b": {**ARCHITECTURES["gme_2b"], "tie_word_embeddings": True},
        "qwen2_vl_7b": {**ARCHITECTURES["gme_7b"], "tie_word_embeddings": False},
    }
)


def full_size(model: PresenceModel) -> Any:
    """The Qwen2VLConfig of a model."""
    return configuration(_SIZES[model])


def load(model: PresenceModel, runtime: Runtime) -> tuple[Any, QuestionTokenizer]:
    """A Qwen2VLForConditionalGeneration and its tokenizer; with random weights a byte-level stand-in.

    Raises:
        WeightsMissing: packages or files are missing.
    """
    cls = transformers().Qwen2VLForConditionalGeneration
    source = weight_source(runtime, model)
    if source.random_seed is not None:
        network = random_network(
            cls, full_size(model), seed=source.random_seed, dtype=DTYPE, device=runtime.device
        )
        return network, QuestionTokenizer.bytes_only()
    folder = source.path(model)
    tokenizer = QuestionTokenizer.load(folder)
    return load_snapshot(cls, folder, dtype=DTYPE, device=runtime.device), tokenizer
