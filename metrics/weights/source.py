"""Which weights a run uses: the published ones, or seeded random ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from ipvg_eval.metrics.errors import ProtocolError, WeightsMissing
from ipvg_eval.metrics.weight_file import WeightFile
from ipvg_eval.metrics.weights.store import WeightStore
from ipvg_eval.metrics.weights.table import WEIGHTS

_RANDOM = re.compile(r"random(?::(\d{1,18}))?")


class RandomWeights:
    """No files: every network is built at full size from a seed; a `ipvg_eval.metrics.runtime.WeightSource`.

    For benchmarks and tests. What such a run measures means nothing and must be marked.
    """

    def __init__(self, seed: int = 0) -> None:
        self.random_seed: int | None = seed

    def resolve(self, _names: Iterable[str], **_optional: Iterable[str]) -> RandomWeights:
        """Itself: there is nothing to find."""
        return self

    def path(self, name: str) -> Path:
        """There is no file.

        Raises:
            WeightsMissing: always.
        """
        raise WeightsMissing(
            f"this run has random weights (seed {self.random_seed}): there is no file for {name!r}",
            hint="Leave out --weights to use the published weights.",
        )

    def sha256(self, _name: str) -> str:
        """The text "random:SEED", the same for every name."""
        return f"random:{self.random_seed}"


def weight_source(spec: str | None, table: Mapping[str, WeightFile] = WEIGHTS) -> WeightStore | RandomWeights:
    """What `--weights` asks for.

    Args:
        spec: None for the published weights, "random" (seed 0) or "random:SEED".
        table: the declared weights.

    Raises:
        ProtocolError: anything else.
    """
    if spec is None:
        return WeightStore(table)
    match = _RANDOM.fullmatch(spec)
    if match is None:
        raise ProtocolError(
            f"weights {spec!r} is not understood",
            hint="Use random or random:SEED (a whole number, such as random:0), "
            "or leave it out for the published weights.",
        )
    return RandomWeights(int(match[1] or 0))
