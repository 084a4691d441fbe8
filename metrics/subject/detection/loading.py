"""Detectors by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.subject.detection import grounding_dino, owlv2
from ipvg_eval.metrics.subject.detection.detector import ObjectDetector
from ipvg_eval.metrics.subject.detection.grounding_dino import GroundingDinoDetector
from ipvg_eval.metrics.subject.detection.owlv2 import Owlv2Detector

DetectorName = Literal["owlv2", "grounding_dino_tiny", "grounding_dino_base"]

DETECTOR_WEIGHTS: Final[Mapping[DetectorName, str]] = {
    "owlv2": owlv2.WEIGHTS,
    "grounding_dino_tiny": "grounding_dino_tiny",
    "grounding_dino_base": "grounding_dino_base",
}
"""The declared weight of each detector."""


def load_detector(
    name: DetectorName,
    runtime: Runtime,
    *,
    query: str | None = None,
    threshold: float | None = None,
    text_threshold: float | None = None,
) -> ObjectDetector:
    """A detector, network loaded.

    Args:
        name: which.
        runtime: device and source of weights.
        query: wording around "{label}"; None for the published one.
        threshold: probability a box must exceed; None for the published one.
        text_threshold: probability a label must exceed, Grounding DINO only; None for the published one.

    Raises:
        WeightsMissing: packages or files are missing.
    """
    if name == "owlv2":
        return Owlv2Detector.load(
            runtime, query=query or owlv2.QUERY, threshold=_or(threshold, owlv2.THRESHOLD)
        )
    return GroundingDinoDetector.load(
        name,
        runtime,
        query=query or grounding_dino.QUERY,
        threshold=_or(threshold, grounding_dino.THRESHOLD),
        text_threshold=_or(text_threshold, grounding_dino.TEXT_THRESHOLD),
    )


def is_here(name: DetectorName, runtime: Runtime) -> bool:
    """Whether a detector's weights are on this machine, or random ones are used."""
    source = runtime.weights
    if source is None:
        return False
    if source.random_seed is not None:
        return True
    try:
        source.path(DETECTOR_WEIGHTS[name])
    except WeightsMissing:
        return False
    return True


def _or(value: float | None, published: float) -> float:
    return published if value is None else value
