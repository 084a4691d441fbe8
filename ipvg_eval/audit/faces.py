"""Faces: pasted in from the reference, or hidden from the face metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from ipvg_eval.audit.model import AuditFinding
from ipvg_eval.audit.signals import VideoSignals
from ipvg_eval.audit.thresholds import Thresholds
from ipvg_eval.core.measurement import Frames
from ipvg_eval.core.pictures import read_rgb
from ipvg_eval.metrics.faces.alignment import align
from ipvg_eval.metrics.faces.detection import FaceDetector, find_faces
from ipvg_eval.metrics.lite.identity import face_descriptor
from ipvg_eval.metrics.scaling import shrink
from ipvg_eval.metrics.target import Reference

_REFERENCE_SIDE = 1280
_SMOOTHING = 1.5
_SHIFT = 12  # pixels of an aligned face by which landmarks may be off

FloatArray = npt.NDArray[np.float64]
Luma = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Faces:
    """Faces of frames: share of frames with one, descriptors (n, d), smoothed luma (n, 112, 112)."""

    coverage: float
    descriptors: FloatArray
    pixels: Luma


class FaceChecks:
    """Looks at faces with one detector; references are described once."""

    def __init__(self, detector: FaceDetector) -> None:
        self._detector = detector
        self._reference = lru_cache(maxsize=256)(self._describe_reference)

    def check(
        self, signals: VideoSignals, references: Sequence[Reference], limits: Thresholds
    ) -> Iterator[AuditFinding]:
        """A face pasted in, hidden, or shown only where it is measured.

        Nothing is found where no reference picture shows a face.

        Raises:
            UnreadablePicture: a reference picture cannot be read.
        """
        known = [self._reference(reference.path) for reference in references]
        shown = [faces for faces in known if faces.coverage > 0]
        if signals.sampled is None or not shown:
            return
        sampled = self._faces(signals.sampled)
        between = self._faces(signals.between) if signals.between is not None else sampled
        yield from _hidden(signals, sampled.coverage, between.coverage, limits)
        if len(sampled.descriptors) > 1:
            yield from _pasted(signals, sampled, shown, limits)

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


def _pixels(crop: Frames) -> Luma:
    luma = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(luma, (0, 0), _SMOOTHING), np.float32)


def correlation(face: Luma, other: Luma) -> float:
    """Correlation of two aligned faces' pixels at the shift that fits best, up to 12 pixels each way.

    The same picture's landmarks move by a few pixels with its size and its surroundings.

    Args:
        face: (112, 112) smoothed luma.
        other: likewise; its border of 12 pixels is left out.
    """
    inner = other[_SHIFT:-_SHIFT, _SHIFT:-_SHIFT]
    if np.ptp(inner) == 0 or np.ptp(face) == 0:
        return 0.0
    return float(cv2.matchTemplate(face, inner, cv2.TM_CCOEFF_NORMED).max())


def _hidden(
    signals: VideoSignals, sampled: float, between: float, limits: Thresholds
) -> Iterator[AuditFinding]:
    numbers = {"share in sampled frames": sampled, "share between them": between}
    if sampled - between > limits.coverage_drop:
        yield AuditFinding(
            kind="face-only-where-sampled",
            team=signals.team,
            videos=(signals.video,),
            message=f"{sampled:.0%} of the frames that face metrics sample show a face, "
            f"but only {between:.0%} of those between them.",
            numbers=numbers,
            thresholds={"coverage_drop": limits.coverage_drop},
        )
    elif sampled < limits.face_coverage:
        yield AuditFinding(
            kind="face-hidden",
            team=signals.team,
            videos=(signals.video,),
            message=f"The reference shows a face, but only {sampled:.0%} of the sampled frames do.",
            numbers=numbers,
            thresholds={"face_coverage": limits.face_coverage},
        )


def _pasted(
    signals: VideoSignals, faces: _Faces, references: Sequence[_Faces], limits: Thresholds
) -> Iterator[AuditFinding]:
    own = float(np.median([correlation(a, b) for a, b in combinations(faces.pixels, 2)]))
    close = [
        float(np.median([correlation(face, reference.pixels[0]) for face in faces.pixels]))
        for reference in references
    ]
    nearest = int(np.argmax(close))
    pixels = close[nearest]
    cosine = float(np.median(faces.descriptors @ references[nearest].descriptors[0]))
    if pixels < max(limits.pasted_pixels, own - limits.pasted_margin) or cosine < limits.pasted_descriptor:
        return
    yield AuditFinding(
        kind="pasted-reference",
        team=signals.team,
        videos=(signals.video,),
        message=f"The faces are as like the reference picture's (correlation of pixels {pixels:.2f}, "
        f"cosine of descriptors {cosine:.2f}) as they are like one another (correlation {own:.2f}).",
        numbers={
            "correlation with reference": pixels,
            "correlation among frames": own,
            "cosine with reference": cosine,
        },
        thresholds={
            name: getattr(limits, name) for name in ("pasted_pixels", "pasted_margin", "pasted_descriptor")
        },
    )
