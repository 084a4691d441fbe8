"""The crops that the published face scripts take from a frame or a reference picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from ipvg_eval.core.measurement import Box, Frames
from ipvg_eval.metrics.faces.alignment import align
from ipvg_eval.metrics.faces.arcface import WEIGHTS as ARC_WEIGHTS
from ipvg_eval.metrics.faces.detection import FaceDetector, FoundFace, find_faces, largest_face, with_border

ARC_SIZE: Final = 112
CROP_SIZE: Final = 224

Retry = Literal["padded", "none"]


@dataclass(frozen=True, kw_only=True, eq=False)
class FaceCrops:
    """One face, aligned twice.

    Attributes:
        arc: (112, 112, 3) RGB uint8 for ArcFace, from the picture the face was found in: with its grey
            border, if it took the retry to find the face.
        crop: (224, 224, 3) RGB uint8 for CurricularFace and the Inception networks, always from the
            picture itself: black where the face leaves it.
        box: where in the picture the detector found it.
    """

    arc: Frames
    crop: Frames
    box: Box

    def of(self, weights: str) -> Frames:
        """The crop that the network of a declared weight takes."""
        return self.arc if weights == ARC_WEIGHTS else self.crop


def face_crops(detector: FaceDetector, frame: Frames, *, retry: Retry) -> FaceCrops | None:
    """The largest face of a picture, cropped as by ConsisID eval/get_facesim_fid.py @60429e4, lines 94-120.

    Args:
        detector: finds the faces.
        frame: (height, width, 3) RGB uint8.
        retry: "padded" tries once more inside a grey border where no face is found.

    Returns:
        None where there is no face, or one whose landmarks all lie on one point.
    """
    found = _find(detector, frame, retry)
    if found is None:
        return None
    searched = frame if found.border == (0, 0) else with_border(frame)
    try:
        return FaceCrops(
            arc=align(searched, found.face.moved(*found.border).points, ARC_SIZE),
            crop=align(frame, found.face.points, CROP_SIZE),
            box=found.face.within(*frame.shape[:2]),
        )
    except ValueError:
        return None


def _find(detector: FaceDetector, frame: Frames, retry: Retry) -> FoundFace | None:
    if retry == "padded":
        return find_faces(detector, frame[None])[0]
    face = largest_face(detector.detect(frame[None])[0])
    return None if face is None else FoundFace(face=face)
