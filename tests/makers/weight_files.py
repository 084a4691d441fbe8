"""Files of tests as a source of weights; random ones are `ipvg_eval.metrics.weights.RandomWeights`."""

from __future__ import annotations

from pathlib import Path

from ipvg_eval.metrics.errors import WeightsMissing


class WeightFiles:
    """Files and folders by name, or one for every name."""

    random_seed: int | None = None

    def __init__(self, every: Path | None = None, /, **by_name: Path) -> None:
        self._every = every
        self._by_name = by_name

    def path(self, name: str) -> Path:
        path = self._by_name.get(name, self._every)
        if path is None:
            raise WeightsMissing(f"the test has no {name}")
        return path

    def sha256(self, name: str) -> str:
        return f"hash of {name}"
