"""Test sets: four layouts, one loader."""

from ipvg_eval.testset.loading import load_testset
from ipvg_eval.testset.locate import find_testset, find_testset_if_any
from ipvg_eval.testset.model import Layout, Sample, TestSet, Track
from ipvg_eval.testset.order import natural_key

__all__ = [
    "Layout",
    "Sample",
    "TestSet",
    "Track",
    "find_testset",
    "find_testset_if_any",
    "load_testset",
    "natural_key",
]
