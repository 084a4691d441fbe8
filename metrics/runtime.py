"""Where and how networks run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from ipvg_eval.metrics.errors import WeightsMissing

Dtype = Literal["float32", "float16", "bfloat16"]

DEFAULT_BATCH_SIZE = 16


class WeightSource(Protocol):
    """Hands out weight files that were resolved before the first frame.

    Attributes:
        random_seed: None for published weights; a seed where every network is built at full size
            with seeded random weights instead (benchmarks and tests).
    """

    random_seed: int | None

    def path(self, name: str) -> Path:
        """The local file of a declared weight.

        Raises:
            WeightsMissing: it is not on this machine.
        """
        ...

    def sha256(self, name: str) -> str:
        """The file's sha256, or "random:SEED"."""
        ...


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """What an evaluator is built with.

    Attributes:
        device: "cpu" or "cuda:N".
        dtype: floating-point type of the networks; maths after them stays float32 or float64.
        weights: where weight files come from; None where no evaluator needs any.
        batch_size: frames per forward pass, at most.
        crossing: whether a forward pass may hold frames of several videos; see `batches.Batches`.
        compiled: have torch compile the repeated blocks of transformers.
        fallbacks: weights of networks that run on the CPU although the device is another; they are
            added while networks load.
    """

    device: str = "cpu"
    dtype: Dtype = "float32"
    weights: WeightSource | None = None
    batch_size: int = DEFAULT_BATCH_SIZE
    crossing: bool = False
    compiled: bool = False
    fallbacks: list[str] = field(default_factory=list, compare=False)


def weight_source(runtime: Runtime, name: str) -> WeightSource:
    """Where the runtime's weights come from.

    Raises:
        WeightsMissing: it has no source.
    """
    if runtime.weights is None:
        raise WeightsMissing(f"{name} is needed", hint=f"Run: ipvg-eval weights pull {name}")
    return runtime.weights
