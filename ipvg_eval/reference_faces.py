"""Which face of each reference picture counts, and which pictures will be compared with nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ipvg_eval.core.measurement import Frames
from ipvg_eval.core.pictures import read_rgb
from ipvg_eval.findings import Finding, Severity
from ipvg_eval.metrics.faces.detection import Face, FaceDetector, find_faces, largest_face
from ipvg_eval.metrics.faces.mtcnn import Mtcnn
from ipvg_eval.metrics.scaling import shrink
from ipvg_eval.results.references import ReferenceFace
from ipvg_eval.testset import TestSet

_LONGEST = 2048  # a picture is never searched at more pixels than this
_SMALLEST = 48  # pixels of the shorter side of a face below which recognisers see little
_PEOPLE = frozenset(
    ("boy", "child", "face", "female", "girl", "human", "lady", "male", "man", "person", "woman")
)
_OTHER = "Use a picture that shows one face, upright and large."


_Look = tuple[tuple[float, float, float, float] | None, tuple[str, str, str] | None]


def look_at_reference_faces(testset: TestSet) -> tuple[ReferenceFace, ...]:
    """Every reference picture with the face that counts, if one is found, and what is wrong with it.

    A finding is a picture without a face, with several, a tiny one, or one that is upside down. Pictures
    whose class label is no person's are left out. Runs on the CPU; nothing is fetched.

    Raises:
        WeightsMissing: facenet-pytorch is not installed.
    """
    detector = Mtcnn(device="cpu", long_side=1024, min_face_size=20, min_probability=0.95)
    looks: dict[Path, _Look] = {}
    faces: dict[tuple[str, Path], ReferenceFace] = {}
    for sample in testset.samples:
        for number, reference in enumerate(sample.references):
            path, key = reference.path, (sample.identity, reference.path)
            if key in faces or not _may_be_a_person(reference.label):
                continue
            if path not in looks:
                looks[path] = _look(detector, path)
            box, found = looks[path]
            shown = (
                path.relative_to(testset.root).as_posix() if path.is_relative_to(testset.root) else str(path)
            )
            faces[key] = ReferenceFace(
                identity=sample.identity,
                path=shown,
                first=number == 0,
                box=box,
                finding=None if found is None else _finding(shown, *found),
            )
    return tuple(faces.values())


def _may_be_a_person(label: str | None) -> bool:
    return label is None or bool(_PEOPLE & set(label.lower().split()))


def _finding(path: str, code: str, message: str, action: str) -> Finding:
    return Finding(code=code, severity=Severity.WARNING, path=path, message=message, action=action)


def _look(detector: FaceDetector, path: Path) -> _Look:
    stored = read_rgb(path)
    picture = shrink(stored, _LONGEST)
    found = find_faces(detector, picture[None])[0]
    if found is None:
        return None, _without_a_face(detector, picture)
    faces = detector.detect(picture[None])[0]
    used = largest_face(faces) or found.face
    height, width = picture.shape[:2]
    left, top, right, bottom = np.clip(used.box / (width, height, width, height), 0, 1).tolist()
    scale = stored.shape[1] / width
    return (left, top, right, bottom), _what_is_wrong(used, faces, scale)


def _without_a_face(detector: FaceDetector, picture: Frames) -> tuple[str, str, str]:
    turned = [
        (seen.face.score, how)
        for turns, how in ((2, "upside down"), (1, "turned to the side"), (3, "turned to the side"))
        if (seen := find_faces(detector, np.ascontiguousarray(np.rot90(picture, turns))[None])[0])
    ]
    if turned:
        what = f"The face is {max(turned)[1]}: it is not found as it stands."
        return "reference-turned", what, "Turn the picture."
    return "reference-without-face", "No face is found: no face metric has a value for it.", _OTHER


def _what_is_wrong(used: Face, faces: tuple[Face, ...], scale: float) -> tuple[str, str, str] | None:
    if _is_upside_down(used):
        return "reference-turned", "The face is upside down.", "Turn the picture."
    if len(faces) > 1:
        return (
            "reference-several-faces",
            f"{len(faces)} faces; the {'larger' if len(faces) == 2 else 'largest'} {_where(used, faces)} "
            f"is used, {_box(used, scale)}.",
            "Cut the picture to the person that is meant, if this is another one.",
        )
    left, top, right, bottom = used.box
    if min(right - left, bottom - top) < _SMALLEST:
        return "reference-tiny-face", f"The face is tiny, at {_box(used, scale)}.", _OTHER
    return None


def _is_upside_down(face: Face) -> bool:
    eyes, mouth = face.points[:2, 1].mean(), face.points[3:, 1].mean()
    return bool(eyes > mouth)


def _where(used: Face, faces: tuple[Face, ...]) -> str:
    others = [face.box[[0, 2]].mean() for face in faces if face is not used]
    middle = used.box[[0, 2]].mean()
    return "at left" if middle < min(others) else "at right" if middle > max(others) else "in the middle"


def _box(face: Face, scale: float) -> str:
    """In pixels of the picture as stored, which is `scale` times the one that was searched."""
    left, top, right, bottom = (round(scale * float(value)) for value in face.box)
    return f"{right - left} x {bottom - top} pixels from ({left}, {top})"
