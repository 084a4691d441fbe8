"""Faces without any download: how many frames show one, and whether it looks like the reference's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import Field
from typing_extensions import override

from ipvg_eval.core.measurement import Box, ClipInfo, FrameFeatures, Frames, FrameValues, Measurement
from ipvg_eval.core.pictures import PictureInMemory, read_rgb
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.evaluator import NO_FRAME_DECODED, Evaluator, EvaluatorOptions
from ipvg_eval.metrics.faces.alignment import align
from ipvg_eval.metrics.faces.detection import FaceDetector, FoundFace, find_faces
from ipvg_eval.metrics.faces.mtcnn import LICENCE, WEIGHT_NAMES, Mtcnn
from ipvg_eval.metrics.lite.identity import FloatArray, face_descriptor, similarity
from ipvg_eval.metrics.reference_cache import ReferenceCache
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.sampling import linspace_indices
from ipvg_eval.metrics.scaling import shrink
from ipvg_eval.metrics.target import NO_REFERENCE, Target

FACE_COVERAGE = MetricSpec(
    name="face_coverage",
    version=1,
    higher_is_better=True,
    bounds=(0.0, 1.0),
    title="Face coverage",
    summary="Share of the looked-at frames in which a face is found.",
    caveats="Small, turned or covered faces are missed; a face on a poster counts.",
    source="MTCNN (Zhang et al. 2016), facenet_pytorch.MTCNN",
    weights=WEIGHT_NAMES,
    licence=LICENCE,
)
LITE_IDENTITY = MetricSpec(
    name="lite_identity",
    version=1,
    higher_is_better=True,
    bounds=(-1.0, 1.0),
    title="Identity (training-free)",
    summary="Mean cosine of the frames' faces with the reference's, described by edges and local patterns.",
    caveats="Edges and textures, not identity: pose, glasses, hair and lighting move it, and pasting "
    "the reference in gives the best value. Unreliable for profiles and small faces.",
    source="HOG (Dalal and Triggs 2005), skimage.feature.hog; uniform LBP (Ahonen et al. 2006), "
    "skimage.feature.local_binary_pattern",
    proxy=True,
    weights=WEIGHT_NAMES,
    licence=LICENCE,
)

_REFERENCE_SIDE = 2048  # a reference picture is never searched at more pixels than this


class LiteFacesOptions(EvaluatorOptions):
    """Rules of the training-free face measurements.

    Attributes:
        frames: how many frames are looked at, by the linspace rule.
        detector_long_side: frames are scaled down to it before the search, in pixels.
        min_face_size: smallest face searched for, in pixels of the scaled frame.
        min_probability: detections below it are dropped. MTCNN gives real faces more than 0.98, mostly
            more than 0.999; animals' heads reach 0.93.
    """

    frames: int = Field(default=16, ge=1)
    detector_long_side: int = Field(default=640, ge=64)
    min_face_size: int = Field(default=40, ge=12)
    min_probability: float = Field(default=0.95, ge=0.0, le=1.0)


class LiteFaces(Evaluator[LiteFacesOptions]):
    """Measures `face_coverage` and `lite_identity` from one look at each frame.

    The largest face of a frame counts, whoever it belongs to. Of several reference pictures the one
    that matches a frame's face best counts, so that a reference from another side does no harm; each
    is also compared mirrored, so that a face turned the other way can match.
    """

    Options = LiteFacesOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = (FACE_COVERAGE, LITE_IDENTITY)
    BUDGET: ClassVar[str] = "frames"

    def __init__(self, options: LiteFacesOptions, runtime: Runtime) -> None:
        """Load the detector.

        Raises:
            WeightsMissing: facenet-pytorch is not installed.
        """
        super().__init__(options, runtime)
        self._detector = Mtcnn(
            device=runtime.device,
            long_side=options.detector_long_side,
            min_face_size=options.min_face_size,
            min_probability=options.min_probability,
        )
        self.weights = self._detector.weights
        self._reference = ReferenceCache(self._describe_reference)

    @classmethod
    def required_weights(cls, _options: LiteFacesOptions, /) -> tuple[str, ...]:
        """None have to be fetched: the detector's come with its package."""
        return ()

    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """Evenly spaced frames with both ends, rounded down."""
        return linspace_indices(clip.frame_count, self._options.frames)

    @override
    def start(self, target: Target, clip: ClipInfo) -> _FacesPass:
        """Describe the reference faces, or recall them.

        Raises:
            UnreadablePicture: a reference picture cannot be decoded.
        """
        described = [self._reference(reference.picture) for reference in target.references]
        return _FacesPass(self._detector, described)

    def _describe_reference(self, source: Path | PictureInMemory) -> FloatArray | None:
        """Descriptors of the picture's face and of its mirror image, (2, d); None without a face."""
        picture = shrink(read_rgb(source), _REFERENCE_SIDE)
        found = find_faces(self._detector, picture[None])[0]
        if found is None:
            return None
        crop = align(picture, found.face.points)
        return np.stack([face_descriptor(crop), face_descriptor(np.ascontiguousarray(crop[:, ::-1]))])


class _FacesPass:
    """One video's faces."""

    def __init__(self, detector: FaceDetector, references: Sequence[FloatArray | None]) -> None:
        self._detector = detector
        shown = [reference for reference in references if reference is not None]
        self._references = np.concatenate(shown) if shown else None
        self._reference_count = len(references)
        self._faceless_references = len(references) - len(shown)
        self._indices: list[int] = []
        self._coverage: list[float] = []
        self._boxes: list[Box | None] = []
        self._similarities: list[float | None] = []
        self._described: FloatArray | float = 0.0

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        """Take the next wanted frames; see `ipvg_eval.metrics.evaluator.Pass`."""
        for index, frame, found in zip(indices, frames, find_faces(self._detector, frames), strict=True):
            self._indices.append(index)
            self._coverage.append(0.0 if found is None else 1.0)
            self._boxes.append(None if found is None else found.face.within(*frame.shape[:2]))
            self._similarities.append(self._similarity(frame, found))

    def _similarity(self, frame: Frames, found: FoundFace | None) -> float | None:
        if found is None or self._references is None:
            return None
        described = face_descriptor(align(frame, found.face.points))
        self._described = self._described + described
        return similarity(described, self._references)

    def finish(self) -> list[Measurement]:
        """Face coverage and training-free identity."""
        return [self._coverage_measurement(), self._identity_measurement()]

    def _coverage_measurement(self) -> Measurement:
        if not self._indices:
            return Measurement(name=FACE_COVERAGE.name, value=None, reason=NO_FRAME_DECODED)
        return Measurement(
            name=FACE_COVERAGE.name,
            value=float(np.mean(self._coverage, dtype=np.float64)),
            per_frame=FrameValues(
                indices=tuple(self._indices), values=tuple(self._coverage), boxes=tuple(self._boxes)
            ),
        )

    def _identity_measurement(self) -> Measurement:
        per_frame = FrameValues(indices=tuple(self._indices), values=tuple(self._similarities))
        values = [value for value in self._similarities if value is not None]
        if not values:
            return Measurement(
                name=LITE_IDENTITY.name, value=None, reason=self._missing_identity(), per_frame=per_frame
            )
        note = None
        if self._faceless_references:
            note = f"no face in {self._faceless_references} of {self._reference_count} reference pictures"
        return Measurement(
            name=LITE_IDENTITY.name,
            value=float(np.mean(values, dtype=np.float64)),
            note=note,
            per_frame=per_frame,
            features=self._features(len(values)),
        )

    def _features(self, faces: int) -> FrameFeatures:
        """The mean descriptor alone, as those of all frames would take half a megabyte a video."""
        assert self._references is not None
        return FrameFeatures(
            indices=(),
            rows=np.atleast_2d(np.asarray(self._described / faces, dtype=np.float32)),
            reference=self._references.astype(np.float32),
        )

    def _missing_identity(self) -> str:
        if not self._reference_count:
            return NO_REFERENCE
        if self._references is None:
            one = self._reference_count == 1
            return "no face in the reference picture" if one else "no face in any reference picture"
        if not self._indices:
            return NO_FRAME_DECODED
        return f"no face in any of {len(self._indices)} frames"
