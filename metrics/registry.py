"""Evaluators by name, imported only when a protocol asks for them: ours, and those of installed packages."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from ipvg_eval.core.packages import package_missing
from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.metrics.errors import ProtocolError
from ipvg_eval.metrics.evaluator import Evaluator
from ipvg_eval.metrics.plugins import BrokenPlugin, Plugin, installed_plugins, load_plugin

EVALUATORS: dict[str, str] = {
    "aesthetic_score": "ipvg_eval.metrics.opens2v.aesthetics:AestheticScore",
    "clip_features": "ipvg_eval.metrics.talking.distributions:ClipFeatures",
    "clip_score": "ipvg_eval.metrics.clip.evaluator:ClipScore",
    "cuts": "ipvg_eval.metrics.timeline.cuts:Cuts",
    "dynamic_degree": "ipvg_eval.metrics.motion.dynamic_degree:DynamicDegree",
    "face_landmarks": "ipvg_eval.metrics.talking.landmarks:FaceLandmarks",
    "faces": "ipvg_eval.metrics.faces.face_similarity:FaceSimilarity",
    "frame_features": "ipvg_eval.metrics.talking.distributions:WholeFrameFeatures",
    "gme_score": "ipvg_eval.metrics.gme.evaluator:GmeScore",
    "imaging_quality": "ipvg_eval.metrics.imaging.evaluator:ImagingQuality",
    "lite_faces": "ipvg_eval.metrics.lite.faces:LiteFaces",
    "lite_imaging": "ipvg_eval.metrics.lite.imaging:LiteImaging",
    "lite_lips": "ipvg_eval.metrics.lite.lips:LiteLips",
    "lite_motion": "ipvg_eval.metrics.lite.motion:LiteMotion",
    "lite_timeline": "ipvg_eval.metrics.timeline.lite.evaluator:LiteTimeline",
    "motion_amplitude": "ipvg_eval.metrics.opens2v.motion_amplitude:MotionAmplitude",
    "motion_smoothness": "ipvg_eval.metrics.motion.evaluator:MotionSmoothness",
    "outside_scores": "ipvg_eval.metrics.opens2v.outside_scores:OutsideScores",
    "lip_sync": "ipvg_eval.metrics.talking.sync:LipSync",
    "sound": "ipvg_eval.metrics.talking.sound:SoundCheck",
    "speed": "ipvg_eval.metrics.talking.speed:InferenceSpeed",
    "subject": "ipvg_eval.metrics.subject.evaluator:SubjectMetrics",
    "subject_faces": "ipvg_eval.metrics.faces.subject_faces:SubjectFaces",
    "timeline": "ipvg_eval.metrics.timeline.evaluator:TimelineAlignment",
}
"""Where each of ours lives, "module:class"."""


def evaluator_class(kind: str) -> type[Evaluator]:
    """The class registered under a name; a name of ours is ours, whatever is installed.

    Raises:
        ProtocolError: no evaluator has this name.
        PackageMissing: a package that it imports is not installed.
        BrokenPlugin: it is another package's, and cannot be used.
    """
    return registered(kind)[0]


def registered(kind: str) -> tuple[type[Evaluator], Plugin | None]:
    """The class of a name, and the package it comes from; None where it is ours.

    Raises:
        ProtocolError, PackageMissing, BrokenPlugin: as `evaluator_class`.
    """
    if kind in EVALUATORS:
        return _ours(kind), None
    found = [plugin for plugin in installed_plugins() if plugin.kind == kind]
    if not found:
        known = [*EVALUATORS, *(plugin.kind for plugin in installed_plugins())]
        hint = f"{did_you_mean(kind, known)} Other packages' are known once these are installed."
        raise ProtocolError(f"no evaluator is called {kind!r}", hint=hint)
    return load_plugin(found), found[0]


def outside_evaluators() -> Iterator[tuple[Plugin, type[Evaluator] | BrokenPlugin]]:
    """Every evaluator that an installed package adds: its class, or what is wrong with it."""
    plugins = installed_plugins()
    for plugin in plugins:
        if plugin.kind in EVALUATORS:
            yield plugin, plugin.broken(f"the name {plugin.kind!r} is one of ipvg-eval's own")
            continue
        try:
            yield plugin, load_plugin([other for other in plugins if other.kind == plugin.kind])
        except BrokenPlugin as error:
            yield plugin, error


def _ours(kind: str) -> type[Evaluator]:
    module, _, attribute = EVALUATORS[kind].partition(":")
    try:
        cls: type[Evaluator] = getattr(importlib.import_module(module), attribute)
    except ImportError as error:
        if (error.name or "").startswith("ipvg_eval"):
            raise
        raise package_missing(error, extra="lite" if kind.startswith("lite") else "metrics") from error
    return cls
