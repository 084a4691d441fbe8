"""Declared weight files: where they come from, where they are, whether they are the right ones."""

from ipvg_eval.metrics.weight_file import WeightFile
from ipvg_eval.metrics.weights.source import RandomWeights, weight_source
from ipvg_eval.metrics.weights.store import LookUp, ResolvedWeights, WeightStore
from ipvg_eval.metrics.weights.table import WEIGHTS, declared

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
