"""Every face of a picture, where the published rules look at the largest alone."""

from __future__ import annotations

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.faces.alignment import align
from ipvg_eval.metrics.faces.detection import Face, FaceDetector, border_of, with_border
from ipvg_eval.metrics.faces.face_crops import ARC_SIZE, CROP_SIZE, FaceCrops


def every_face(detector: FaceDetector, frame: Frames, *, most: int) -> list[FaceCrops]:
    """The faces of a picture, aligned, largest first.

    As `face_crops.face_crops` with the padded retry, but for all faces: where none is found, the picture is
    searched once more inside a grey border.

    Args:
        detector: finds the faces.
        frame: (height, width, 3) RGB uint8.
        most: number of faces that are kept.

    Returns:
        Empty where there is no face; one whose landmarks all lie on one point is left out.
    """
    searched, border = frame, (0, 0)
    faces = detector.detect(frame[None])[0]
    if not faces:
        searched, border = with_border(frame), border_of(*frame.shape[:2])
        faces = detector.detect(searched[None])[0]
    largest = sorted(faces, key=lambda face: face.area, reverse=True)[:most]
    crops = [_aligned(frame, searched, face, border) for face in largest]
    return [crop for crop in crops if crop is not None]


def _aligned(frame: Frames, searched: Frames, face: Face, border: tuple[int, int]) -> FaceCrops | None:
    here = face.moved(-border[0], -border[1])
    try:
        return FaceCrops(
            arc=align(searched, face.points, ARC_SIZE),
            crop=align(frame, here.points, CROP_SIZE),
            box=here.within(*frame.shape[:2]),
        )
    except ValueError:
        return None
