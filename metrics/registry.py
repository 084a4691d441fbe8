"""Evaluators by name, imported only when a protocol asks for them."""

from __future__ import annotations

import importlib
from typing import Any, ClassVar, Protocol, cast, runtime_checkable

from pydantic import BaseModel

from ipvg_eval.core.packages import package_missing
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.metrics.errors import ProtocolError
from ipvg_eval.metrics.evaluator import Evaluator
from ipvg_eval.metrics.runtime import Runtime

EVALUATORS: dict[str, str] = {
    "aesthetic_score": "ipvg_eval.metrics.opens2v.aesthetics:AestheticScore",
    "clip_score": "ipvg_eval.metrics.clip.evaluator:ClipScore",
    "dynamic_degree": "ipvg_eval.metrics.motion.dynamic_degree:DynamicDegree",
    "faces": "ipvg_eval.metrics.faces.published:PublishedFaces",
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


class EvaluatorClass(Protocol):
    """What a registered class offers before it is built.

    A class whose measurements can be recombined under other options also has the methods of
    `ipvg_eval.metrics.rescoring.Rescoring`.

    Attributes:
        Options: pydantic model of its options; unknown keys are refused.
        SPECS: every metric it can measure, with its default options.
        BUDGET: the option that bounds how many frames, or groups of frames, it looks at; None where it looks
            at none.
    """

    Options: ClassVar[type[BaseModel]]
    SPECS: ClassVar[tuple[MetricSpec, ...]]
    BUDGET: ClassVar[str | None]

    def __call__(self, options: Any, runtime: Runtime) -> Evaluator:
        """Build the evaluator; networks are loaded here."""
        ...

    def specs_for(self, options: Any) -> tuple[MetricSpec, ...]:
        """The metrics it measures with these options."""
        ...

    def required_weights(self, options: Any) -> tuple[str, ...]:
        """Names of the declared weights that building it with these options needs."""
        ...


@runtime_checkable
class ReadsFiles(Protocol):
    """What a registered class offers on top if it reads files about the submission.

    Attributes:
        FILES: the options that name them; which files they are does not change the protocol's rules.
    """

    FILES: ClassVar[tuple[str, ...]]


@runtime_checkable
class FallsBack(Protocol):
    """What a registered class offers on top if it can do without some weights.

    An evaluator that had to do without says so in its attribute `notice`, which every output of a run
    repeats.
    """

    def optional_weights(self, options: Any) -> tuple[str, ...]:
        """Names of the declared weights that it uses where they are on the machine."""
        ...


def evaluator_class(kind: str) -> EvaluatorClass:
    """The class registered under a name.

    Raises:
        ProtocolError: no evaluator has this name.
        PackageMissing: a package that it imports is not installed.
    """
    if kind not in EVALUATORS:
        raise ProtocolError(f"no evaluator is called {kind!r}", hint=did_you_mean(kind, EVALUATORS))
    module, _, attribute = EVALUATORS[kind].partition(":")
    try:
        return cast(EvaluatorClass, getattr(importlib.import_module(module), attribute))
    except ImportError as error:
        if (error.name or "").startswith("ipvg_eval"):
            raise
        raise package_missing(error, extra="lite" if kind.startswith("lite") else "metrics") from error
