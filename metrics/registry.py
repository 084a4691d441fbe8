"""Evaluators by name, imported only when a protocol asks for them."""

from __future__ import annotations

import importlib

from ipvg_eval.core.packages import package_missing
from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.metrics.errors import ProtocolError
from ipvg_eval.metrics.evaluator import Evaluator

EVALUATORS: dict[str, str] = {
    "aesthetic_score": "ipvg_eval.metrics.opens2v.aesthetics:AestheticScore",
    "clip_score": "ipvg_eval.metrics.clip.evaluator:ClipScore",
    "cuts": "ipvg_eval.metrics.timeline.cuts:Cuts",
    "dynamic_degree": "ipvg_eval.metrics.motion.dynamic_degree:DynamicDegree",
    "faces": "ipvg_eval.metrics.faces.face_similarity:FaceSimilarity",
    "gme_score": "ipvg_eval.metrics.gme.evaluator:GmeScore",
    "imaging_quality": "ipvg_eval.metrics.imaging.evaluator:ImagingQuality",
    "lite_faces": "ipvg_eval.metrics.lite.faces:LiteFaces",
    "lite_imaging": "ipvg_eval.metrics.lite.imaging:LiteImaging",
    "lite_motion": "ipvg_eval.metrics.lite.motion:LiteMotion",
    "lite_timeline": "ipvg_eval.metrics.timeline.lite.evaluator:LiteTimeline",
    "motion_amplitude": "ipvg_eval.metrics.opens2v.motion_amplitude:MotionAmplitude",
    "motion_smoothness": "ipvg_eval.metrics.motion.evaluator:MotionSmoothness",
    "outside_scores": "ipvg_eval.metrics.opens2v.outside_scores:OutsideScores",
    "subject": "ipvg_eval.metrics.subject.evaluator:SubjectMetrics",
    "subject_faces": "ipvg_eval.metrics.faces.subject_faces:SubjectFaces",
    "timeline": "ipvg_eval.metrics.timeline.evaluator:TimelineAlignment",
}
"""Where each evaluator lives, "module:class"."""


def evaluator_class(kind: str) -> type[Evaluator]:
    """The class registered under a name.

    Raises:
        ProtocolError: no evaluator has this name.
        PackageMissing: a package that it imports is not installed.
    """
    if kind not in EVALUATORS:
        raise ProtocolError(f"no evaluator is called {kind!r}", hint=did_you_mean(kind, EVALUATORS))
    module, _, attribute = EVALUATORS[kind].partition(":")
    try:
        cls: type[Evaluator] = getattr(importlib.import_module(module), attribute)
    except ImportError as error:
        if (error.name or "").startswith("ipvg_eval"):
            raise
        raise package_missing(error, extra="lite" if kind.startswith("lite") else "metrics") from error
    return cls
