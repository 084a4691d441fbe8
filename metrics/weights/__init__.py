"""Declared weight files: where they come from, where they are, whether they are the right ones."""

from metrics.weights.declaration import WeightFile
from metrics.weights.source import RandomWeights, weight_source
from metrics.weights.store import LookUp, ResolvedWeights, WeightStore
from metrics.weights.table import WEIGHTS, declared

__all__ = [
    "WEIGHTS",
    "LookUp",
    "RandomWeights",
    "ResolvedWeights",
    "WeightFile",
    "WeightStore",
    "declared",
    "weight_source",
]
