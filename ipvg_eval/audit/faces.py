"""Faces: pasted in from the reference, or hidden from the face metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from ipvg_eval.audit.look import Look
from ipvg_eval.audit.model import AuditFinding
from ipvg_eval.audit.thresholds import Thresholds
from metrics.evaluator import Frames
from metrics.faces.alignment import align
from metrics.faces.detection import FaceDetector, find_faces
from metrics.images import read_rgb
from metrics.lite.identity import face_descriptor
from metrics.scaling import shrink
from metrics.target import Reference

_REFERENCE_SIDE = 1280
_SMOOTHING = 1.5

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Faces:
    """Faces of some frames: share of frames that have one, descriptors (n, d), pixels (n, 112 * 112)."""

    coverage: float
    descriptors: FloatArray
    pixels: FloatArray


class FaceChecks:
    """Looks at faces with one detector; references are described once."""

    def __init__(self, detector: FaceDetector) -> None:
        self._detector = detector
        self._reference = lru_cache(maxsize=256)(self._describe_reference)

    def check(
        self, look: Look, references: Sequence[Reference], limits: Thresholds
    ) -> Iterator[AuditFinding]:
        """A face pasted in, hidden, or shown only where it is measured.

        Nothing is found where no reference picture shows a face.

        Raises:
            UnreadableImage: a reference picture cannot be read.
        """
        known = [self._reference(reference.path) for reference in references]
        shown = [faces for faces in known if faces.coverage > 0]
        if look.sampled is None or not shown:
            return
        sampled = self._faces(look.sampled)
        between = self._faces(look.between) if look.between is not None else sampled
        yield from _hidden(look, sampled.coverage, between.coverage, limits)
        if len(sampled.descriptors) > 1:
            yield from _pasted(look, sampled, shown, limits)

    def _describe_reference(self, path: Path) -> _Faces:
        return self._faces(shrink(read_rgb(path), _REFERENCE_SIDE)[None])

    def _faces(self, frames: Frames) -> _Faces:
        crops = [
            align(frame, found.face.points)
            for frame, found in zip(frames, find_faces(self._detector, frames), strict=True)
            if found is not None
        ]
        return _Faces(
            coverage=len(crops) / len(frames),
            descriptors=np.array([face_descriptor(crop) for crop in crops]),
            pixels=np.array([_pixels(crop) for crop in crops]),
        )


def _pixels(crop: Frames) -> FloatArray:
    """Smoothed luma without its mean, of length 1, so that products are correlations."""
    luma = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float64)
    flat: FloatArray = np.asarray(cv2.GaussianBlur(luma, (0, 0), _SMOOTHING), np.float64).ravel()
    flat = flat - flat.mean()
    length = float(np.linalg.norm(flat))
    return flat / length if length > 0 else flat


def _hidden(look: Look, sampled: float, between: float, limits: Thresholds) -> Iterator[AuditFinding]:
    numbers = {"share in sampled frames": sampled, "share between them": between}
    if sampled - between > limits.coverage_drop:
        yield AuditFinding(
            kind="face-only-where-sampled",
            team=look.team,
            videos=(look.video,),
            message=f"{sampled:.0%} of the frames that face metrics sample show a face, "
            f"but only {between:.0%} of those between them.",
            numbers=numbers,
            thresholds={"coverage_drop": limits.coverage_drop},
        )
    elif sampled < limits.face_coverage:
        yield AuditFinding(
            kind="face-hidden",
            team=look.team,
            videos=(look.video,),
            message=f"The reference shows a face, but only {sampled:.0%} of the sampled frames do.",
            numbers=numbers,
            thresholds={"face_coverage": limits.face_coverage},
        )


def _pasted(
    look: Look, faces: _Faces, references: Sequence[_Faces], limits: Thresholds
) -> Iterator[AuditFinding]:
    pairs = np.triu_indices(len(faces.descriptors), 1)
    own = float(np.median((faces.descriptors @ faces.descriptors.T)[pairs]))
    close = [float(np.median(faces.descriptors @ reference.descriptors[0])) for reference in references]
    nearest = int(np.argmax(close))
    pixels = float(np.median(faces.pixels @ references[nearest].pixels[0]))
    if (
        close[nearest] < limits.pasted_descriptor
        or pixels < limits.pasted_pixels
        or close[nearest] < own - limits.pasted_margin
    ):
        return
    yield AuditFinding(
        kind="pasted-reference",
        team=look.team,
        videos=(look.video,),
        message=f"The faces are as like the reference picture's (cosine {close[nearest]:.2f}, correlation of "
        f"pixels {pixels:.2f}) as they are like one another ({own:.2f}).",
        numbers={"cosine with reference": close[nearest], "cosine among frames": own, "pixels": pixels},
        thresholds={
            name: getattr(limits, name) for name in ("pasted_descriptor", "pasted_pixels", "pasted_margin")
        },
    )
