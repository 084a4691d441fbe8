"""CurScore and ArcScore where a sample has several subjects, some of them people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import Field

from ipvg_eval.core.measurement import ClipInfo
from ipvg_eval.core.pictures import PictureInMemory, read_rgb
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.evaluator import Evaluator, EvaluatorOptions, KnownPass, Pass, missing
from ipvg_eval.metrics.faces import arcface, curricularface, scrfd, subject_specs
from ipvg_eval.metrics.faces.arcface import ArcFace
from ipvg_eval.metrics.faces.curricularface import CurricularFace
from ipvg_eval.metrics.faces.every_face import every_face
from ipvg_eval.metrics.faces.face_similarity_pass import Encoder, Rows, crop_batches
from ipvg_eval.metrics.faces.subject_face_pass import PersonReferences, SubjectFacePass
from ipvg_eval.metrics.reference_cache import ReferenceCache
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.sampling import linspace_indices
from ipvg_eval.metrics.subject.subjects import subjects_of
from ipvg_eval.metrics.target import NO_REFERENCE, Target


class SubjectFacesOptions(EvaluatorOptions):
    """Rules of the face metrics of several subjects.

    Attributes:
        frames: evenly spaced frames that are looked at, both ends included.
        faces_per_frame: faces of a frame that count, largest first; never fewer than the subjects.
    """

    frames: int = Field(default=16, ge=1)
    faces_per_frame: int = Field(default=10, ge=1)


class SubjectFaces(Evaluator[SubjectFacesOptions]):
    """Measures the metrics of `ipvg_eval.metrics.faces.subject_specs` with the published networks.

    A subject's references are searched for their largest face, as the published rules do, upright and over
    white; of several pictures of one subject the one most similar to a face counts.
    """

    Options = SubjectFacesOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = subject_specs.ALL
    BUDGET: ClassVar[str] = "frames"

    def __init__(self, options: SubjectFacesOptions, runtime: Runtime) -> None:
        super().__init__(options, runtime)
        self._detector = scrfd.Scrfd(runtime)
        self._encoders: Mapping[str, Encoder] = {
            curricularface.WEIGHTS: CurricularFace(runtime).embed,
            arcface.WEIGHTS: ArcFace(runtime).embed,
        }
        self._batches = {
            name: crop_batches(encode, runtime.batch_size, crossing=runtime.crossing)
            for name, encode in self._encoders.items()
        }
        self._reference = ReferenceCache(self._encode_reference)

    @classmethod
    def required_weights(cls, _options: SubjectFacesOptions, /) -> tuple[str, ...]:
        """The detector and both recognisers."""
        return (scrfd.WEIGHTS, arcface.WEIGHTS, curricularface.WEIGHTS)

    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """Evenly spaced frames."""
        return linspace_indices(clip.frame_count, self._options.frames)

    def start(self, target: Target, clip: ClipInfo) -> Pass:
        """Begin one video; videos that share a reference share its embeddings.

        Raises:
            UnreadablePicture: a reference picture cannot be decoded.
        """
        if not target.references:
            return KnownPass(missing(self.specs, NO_REFERENCE))
        references = [self._reference(reference.picture) for reference in target.references]
        people, without = [], []
        for subject in subjects_of(target.references, unlabelled="reference"):
            rows = [row for row in (references[place] for place in subject.pictures) if row is not None]
            if not rows:
                without.append(subject.name)
                continue
            stacked = {name: np.stack([row[name] for row in rows]) for name in self._encoders}
            people.append(PersonReferences(name=subject.name, rows=stacked))
        return SubjectFacePass(
            people=people,
            without_face=without,
            wanted=len(self.frames(clip)),
            detector=self._detector,
            tickets={name: batches.ticket() for name, batches in self._batches.items()},
            most=max(self._options.faces_per_frame, len(people)),
        )

    def _encode_reference(self, source: Path | PictureInMemory) -> Mapping[str, Rows] | None:
        """One vector per network for the largest face; None where there is none."""
        faces = every_face(self._detector, read_rgb(source), most=1)
        if not faces:
            return None
        return {name: encode(faces[0].of(name)[None])[0] for name, encode in self._encoders.items()}
