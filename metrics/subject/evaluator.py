"""Does a video keep to its subjects, whatever they are, and to itself?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator

from ipvg_eval.core.measurement import ClipInfo, Frames
from ipvg_eval.core.pictures import PictureInMemory, read_rgb
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.batches import Batches
from ipvg_eval.metrics.evaluator import Evaluator, EvaluatorOptions, missing
from ipvg_eval.metrics.reference_cache import ReferenceCache
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.sampling import linspace_indices
from ipvg_eval.metrics.subject import spec
from ipvg_eval.metrics.subject.detection.detector import ObjectDetector
from ipvg_eval.metrics.subject.detection.loading import DETECTOR_WEIGHTS, DetectorName, is_here, load_detector
from ipvg_eval.metrics.subject.dino import WEIGHTS, DinoEncoder, dino_pixels
from ipvg_eval.metrics.subject.finding import FindingRules, ReferenceView, Rows, SubjectFinder
from ipvg_eval.metrics.subject.measurements import WHOLE_FRAME
from ipvg_eval.metrics.subject.subject_pass import NoReferencePass, SubjectPass
from ipvg_eval.metrics.subject.subjects import LONGEST_LABEL, Subject, labels_of, subjects_of
from ipvg_eval.metrics.target import NO_REFERENCE, Target

_AUTOMATIC: DetectorName = "owlv2"

Choice = DetectorName | Literal["auto", "none"]


class SubjectOptions(EvaluatorOptions):
    """Rules of the subject metrics.

    Attributes:
        frame_count: evenly spaced frames that are looked at, both ends included.
        detector: what finds the subjects by their class labels. "auto" is owlv2 where its weights are on this
            machine and otherwise "none": whole frames are compared, and the row says so. The weights of a
            run say which it was, and runs that differ in it do not compare.
        query: wording around "{label}"; None for the detector's published one.
        threshold: probability a detection must exceed; None for the published default, OWLv2 0.1 and
            Grounding DINO 0.25.
        text_threshold: probability of the label itself, for Grounding DINO; None for the published 0.25.
        overlap: largest intersection over union of two detections of one label; the published postprocessing
            keeps overlapping boxes, but one thing must not be matched twice. The default is that of
            torchvision's detectors (box_nms_thresh).
        boxes_per_label: detections of one label that count, best first; never fewer than its subjects.
        min_similarity: cosine a match must exceed; what is below is no better than nothing found.
        unlabelled: what references without a class label are looked for as.
        frames_per_batch: frames the detector sees at once at most, or the runtime's batch size.
    """

    frame_count: int = Field(default=16, ge=1)
    detector: Choice = "owlv2"
    query: str | None = None
    threshold: float | None = Field(default=None, ge=0, lt=1)
    text_threshold: float | None = Field(default=None, ge=0, lt=1)
    overlap: float = Field(default=0.5, ge=0, le=1)
    boxes_per_label: int = Field(default=5, ge=1)
    min_similarity: float = Field(default=0.0, ge=-1, lt=1)
    unlabelled: str = Field(default="object", min_length=1)
    frames_per_batch: int = Field(default=4, ge=1)

    @field_validator("query")
    @classmethod
    def _names_the_label(cls, query: str | None) -> str | None:
        if query is not None and ("{label}" not in query or "{" in query.replace("{label}", "")):
            raise ValueError('a query holds "{label}" and no other braces')
        return query


class SubjectMetrics(Evaluator[SubjectOptions]):
    """Measures the metrics of `ipvg_eval.metrics.subject.spec`.

    Attributes:
        notice: what every output of the run must say, or None.
    """

    Options = SubjectOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = spec.SPECS
    BUDGET: ClassVar[str] = "frame_count"

    notice: str | None

    def __init__(
        self, options: SubjectOptions, runtime: Runtime, *, detector: ObjectDetector | None = None
    ) -> None:
        """Load the networks.

        Args:
            options: the rules.
            runtime: device and weights.
            detector: use this one instead of the one the options name.

        Raises:
            WeightsMissing: weights that the options need are not here.
        """
        super().__init__(options, runtime)
        self._encoder = DinoEncoder(runtime)
        self._batch_size = runtime.batch_size
        self._batches = Batches(self._encoder.images, runtime.batch_size, crossing=runtime.crossing)
        self._detector = detector or _detector(options, runtime)
        self._finder = self._make_finder()
        self._reference = ReferenceCache(self._view)
        self.weights = {**self._encoder.weights, **(self._detector.weights if self._detector else {})}
        fell_back = options.detector == "auto" and self._detector is None
        self.notice = f"Subjects: {WHOLE_FRAME}; its weights are not on this machine." if fell_back else None

    @classmethod
    def specs_for(cls, options: SubjectOptions, /) -> tuple[MetricSpec, ...]:
        """What these options measure, with the weights of their detector."""
        if options.detector == "none":
            similarity = replace(spec.SUBJECT_SIMILARITY, weights=(WEIGHTS,), licence=spec.LICENCE)
            return (similarity, spec.SUBJECT_CONSISTENCY)
        weights = (WEIGHTS, DETECTOR_WEIGHTS[_named(options.detector)])
        detected = [replace(each, weights=weights) for each in cls.SPECS if each != spec.SUBJECT_CONSISTENCY]
        return (*detected, spec.SUBJECT_CONSISTENCY)

    @classmethod
    def required_weights(cls, options: SubjectOptions, /) -> tuple[str, ...]:
        """DINOv2, and the detector the options insist on."""
        if options.detector in {"auto", "none"}:
            return (WEIGHTS,)
        return (WEIGHTS, DETECTOR_WEIGHTS[_named(options.detector)])

    @classmethod
    def optional_weights(cls, options: SubjectOptions, /) -> tuple[str, ...]:
        """The detector that "auto" uses if it is there."""
        return (DETECTOR_WEIGHTS[_AUTOMATIC],) if options.detector == "auto" else ()

    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """Evenly spaced frames."""
        return linspace_indices(clip.frame_count, self._options.frame_count)

    def start(self, target: Target, clip: ClipInfo) -> SubjectPass | NoReferencePass:
        """Begin one video; videos that share a reference share its embedding.

        Raises:
            UnreadablePicture: a reference picture cannot be decoded.
        """
        if not target.references:
            return NoReferencePass(missing(self.specs, NO_REFERENCE))
        subjects = subjects_of(target.references, unlabelled=self._options.unlabelled)
        labels = {position: subject.label for subject in subjects for position in subject.pictures}
        views = [
            self._reference(reference.picture, labels[position] if self._finder else "")
            for position, reference in enumerate(target.references)
        ]
        return SubjectPass(
            specs=self.specs,
            subjects=subjects,
            references=np.stack([view.row for view in views]),
            notes=self._notes(target, subjects, views),
            wanted=len(self.frames(clip)),
            batches=self._batches.ticket(),
            finder=self._finder,
            detector_batch=min(self._batch_size, self._options.frames_per_batch),
        )

    def _make_finder(self) -> SubjectFinder | None:
        if self._detector is None:
            return None
        rules = FindingRules(
            overlap=self._options.overlap,
            boxes_per_label=self._options.boxes_per_label,
            above=self._options.min_similarity,
        )
        return SubjectFinder(self._detector, self._embed, rules)

    def _embed(self, picture: Frames) -> Rows:
        # Crops differ in size, so that each goes through the network alone.
        row: Rows = self._encoder.images([dino_pixels(picture)])[0]
        return row

    def _view(self, source: Path | PictureInMemory, label: str) -> ReferenceView:
        picture = read_rgb(source)
        if self._finder is None:
            return ReferenceView(row=self._embed(picture), found=False)
        return self._finder.reference(picture, label)

    def _notes(
        self, target: Target, subjects: Sequence[Subject], views: Sequence[ReferenceView]
    ) -> list[str]:
        if self._detector is None:
            return [WHOLE_FRAME]
        whole = [
            subject.name for subject in subjects for position in subject.pictures if not views[position].found
        ]
        notes = [f"not found in its own reference picture, all of which counts: {name}" for name in whole]
        cut = [label for label in labels_of(subjects) if not self._detector.reads_all(label)]
        long = [r for r in target.references if len(r.label or "") > LONGEST_LABEL]
        if cut or long:
            notes.append("a class label is longer than the detector reads and was cut")
        return notes


def _named(choice: Choice) -> DetectorName:
    """The detector of a choice that is not "none"."""
    assert choice != "none"
    return _AUTOMATIC if choice == "auto" else choice


def _detector(options: SubjectOptions, runtime: Runtime) -> ObjectDetector | None:
    if options.detector == "none" or (options.detector == "auto" and not is_here(_AUTOMATIC, runtime)):
        return None
    return load_detector(
        _named(options.detector),
        runtime,
        query=options.query,
        threshold=options.threshold,
        text_threshold=options.text_threshold,
    )
