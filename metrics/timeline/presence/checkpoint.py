"""Qwen's vision-language models with their language heads: published snapshots, and full size at random."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final, Literal, get_args

import torch

from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.runtime import Runtime, weight_source
from ipvg_eval.metrics.snapshots import load_snapshot, random_network, transformers
from ipvg_eval.metrics.timeline.presence.architectures import full_size_configuration
from ipvg_eval.metrics.timeline.presence.generations import GENERATIONS, Generation
from ipvg_eval.metrics.timeline.presence.question import QuestionTokenizer

PresenceModel = Literal[
    "qwen2_vl_2b",
    "qwen2_vl_7b",
    "qwen2_5_vl_3b",
    "qwen2_5_vl_7b",
    "qwen3_vl_2b",
    "qwen3_vl_4b",
    "qwen3_vl_8b",
]

DTYPE: Final = torch.bfloat16
"""The floating-point type that the checkpoints are stored in; the runtime's does not count."""

_GENERATION_OF: Final = MappingProxyType(
    {name: GENERATIONS[name.rpartition("_")[0]] for name in get_args(PresenceModel)}
)


def generation(model: PresenceModel) -> Generation:
    """What a model shares with the others of its generation."""
    return _GENERATION_OF[model]


def network_class(model: PresenceModel) -> Any:
    """A model's class in transformers.

    Raises:
        WeightsMissing: transformers is missing, or older than the model.
    """
    package, name = transformers(), generation(model).network
    found = getattr(package, name, None)
    if found is None:
        raise WeightsMissing(
            f"transformers {package.__version__} has no {name}, which {model} is",
            hint="Run: pip install --upgrade transformers",
        )
    return found


def full_size(model: PresenceModel) -> Any:
    """The configuration of a model, as its config.json has it."""
    return full_size_configuration(network_class(model).config_class, model)


def load(model: PresenceModel, runtime: Runtime) -> tuple[Any, QuestionTokenizer]:
    """A network for conditional generation and its tokenizer; with random weights a byte-level stand-in.

    Raises:
        WeightsMissing: packages or files are missing.
    """
    cls = network_class(model)
    source = weight_source(runtime, model)
    if source.random_seed is not None:
        network = random_network(
            cls, full_size(model), seed=source.random_seed, dtype=DTYPE, device=runtime.device
        )
        return network, QuestionTokenizer.bytes_only()
    folder = source.path(model)
    tokenizer = QuestionTokenizer.load(folder)
    return load_snapshot(cls, folder, dtype=DTYPE, device=runtime.device), tokenizer
