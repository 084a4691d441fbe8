"""Faces of several subjects: painted squares worked out by hand, and the full-size networks."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
from PIL import Image
from scipy import ndimage

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.faces.alignment import template
from ipvg_eval.metrics.faces.arcface import WEIGHTS as ARC
from ipvg_eval.metrics.faces.curricularface import WEIGHTS as CUR
from ipvg_eval.metrics.faces.detection import Face
from ipvg_eval.metrics.faces.every_face import every_face
from ipvg_eval.metrics.faces.face_similarity_pass import crop_batches
from ipvg_eval.metrics.faces.scrfd import Scrfd
from ipvg_eval.metrics.faces.subject_face_pass import PersonReferences, SubjectFacePass
from ipvg_eval.metrics.faces.subject_faces import SubjectFaces, SubjectFacesOptions
from ipvg_eval.metrics.target import Reference, Target

RED, GREEN, BLUE = (200, 0, 0), (0, 200, 0), (0, 0, 200)
GREY = 128


class SquareDetector:
    """Every connected region that is not grey is a face."""

    def detect(self, frames: Frames) -> list[tuple[Face, ...]]:
        return [self._detect_one(frame) for frame in frames]

    def _detect_one(self, frame: Frames) -> tuple[Face, ...]:
        regions, _ = ndimage.label((frame != GREY).any(axis=2))
        faces = []
        for rows, columns in ndimage.find_objects(regions):
            side = rows.stop - rows.start
            corner = np.array([columns.start, rows.start], dtype=np.float64)
            box = np.array([*corner, *(corner + side)])
            faces.append(Face(box=box, score=0.9, points=corner + template(112) * (side / 112)))
        return tuple(faces)


def colours(crops: Frames) -> np.ndarray:
    """Red minus green, and blue, of the middle pixel: red and green are opposite, blue is orthogonal."""
    side = crops.shape[1]
    middle = crops[:, side // 2, side // 2].astype(np.float32) / 200
    return np.stack([middle[:, 0] - middle[:, 1], middle[:, 2]], axis=1)


def painted(*squares) -> Frames:
    """Squares of (colour, left, side) on grey, (120, 240, 3)."""
    frame = np.full((120, 240, 3), GREY, dtype=np.uint8)
    for colour, left, side in squares:
        frame[10 : 10 + side, left : left + side] = colour
    return frame


def person(name, *shades):
    rows = colours(np.stack([np.full((4, 4, 3), shade, dtype=np.uint8) for shade in shades]))
    return PersonReferences(name=name, rows={ARC: rows, CUR: rows})


def measure(people, frames, *, without_face=(), wanted=None, batch_size=3, most=10):
    looking = SubjectFacePass(
        people=people,
        without_face=without_face,
        wanted=wanted or len(frames),
        detector=SquareDetector(),
        tickets={name: crop_batches(colours, batch_size).ticket() for name in (CUR, ARC)},
        most=most,
    )
    for index, frame in enumerate(frames):
        looking.add([index], frame[None])
    return {m.name: m for m in looking.finish()}


def values(found):
    return [found[f"subject_{name}"].value for name in ("cur_score", "arc_score", "face_coverage")]


TWO = (person("man 1", RED), person("man 2", BLUE))


def test_two_people_wherever_they_stand():
    crossed, straight = (
        painted((first, 10, 60), (second, 120, 60)) for first, second in ((BLUE, RED), (RED, BLUE))
    )
    found = measure(TWO, [crossed, straight])
    assert values(found) == pytest.approx([1, 1, 1])
    assert found["subject_cur_score"].note == "man 1 1.000 in 2 of 2 frames; man 2 1.000 in 2 of 2 frames"
    assert found["subject_arc_score"].per_frame.values == pytest.approx((1, 1))


def test_a_missing_person_costs_coverage_alone():
    found = measure(TWO, [painted((RED, 10, 60)), painted()])
    assert values(found) == pytest.approx([1, 1, 0.25])
    assert found["subject_face_coverage"].per_frame.values == (0.5, 0.0)
    assert found["subject_cur_score"].per_frame.values == (1.0, None)


def test_somebody_else_counts_as_nothing_alike_and_bystanders_do_not_matter():
    one = (person("man", RED),)
    assert values(measure(one, [painted((GREEN, 10, 60))])) == [0.0, 0.0, 1.0]
    crowd = painted((GREEN, 0, 90), (RED, 100, 40), (BLUE, 160, 60))
    assert values(measure(one, [crowd])) == pytest.approx([1, 1, 1])
    # Only so many faces are looked at, the largest first.
    assert values(measure(one, [crowd], most=2)) == [0.0, 0.0, 1.0]


def test_the_same_person_twice_is_not_two_people():
    found = measure(TWO, [painted((RED, 10, 60), (RED, 120, 60))])
    assert values(found) == pytest.approx([0.5, 0.5, 1])


def test_the_most_similar_picture_of_a_person_counts():
    found = measure((person("man", BLUE, RED),), [painted((RED, 10, 60))])
    assert values(found) == pytest.approx([1, 1, 1])
    assert found["subject_cur_score"].note is None


def test_missing_faces_frames_and_numbers():
    assert {m.reason for m in measure((), [painted((RED, 0, 60))], without_face=["dog"]).values()} == {
        "no reference shows a face"
    }
    assert {m.reason for m in measure(TWO, [], wanted=4).values()} == {"no frame could be read"}
    nobody = measure(TWO, [painted(), painted()], wanted=4, without_face=["ball"])
    assert values(nobody) == [None, None, 0.0]
    assert nobody["subject_arc_score"].reason == "no face in any of 2 frames"
    assert nobody["subject_face_coverage"].note == (
        "man 1 in 0 of 2 frames; man 2 in 0 of 2 frames; no face in the references of ball; "
        "2 of 4 frames could be read"
    )
    broken = PersonReferences(name="man", rows={name: np.full((1, 2), np.nan) for name in (ARC, CUR)})
    assert {m.reason for m in measure((broken,), [painted((RED, 0, 60))]).values()} == {
        "the network's output is not finite"
    }


@pytest.mark.parametrize("batch_size", [1, 2, 7])
def test_batches_do_not_matter(batch_size):
    frames = [painted((RED, 5 * k, 50), (BLUE, 120, 40 + k)) for k in range(3)] + [painted((BLUE, 3, 40))]
    assert values(measure(TWO, frames, batch_size=batch_size)) == pytest.approx([1, 1, 7 / 8])


def test_every_face_is_cropped_as_the_largest_one_is(random_runtime):
    """The first of all faces is the one that the published rules crop, with and without the retry."""
    from ipvg_eval.metrics.faces.face_crops import face_crops

    detector = Scrfd(random_runtime)
    found = 0
    for side in (512, 200):
        picture = np.ascontiguousarray(skimage.data.astronaut()[:side, :side])
        published = face_crops(detector, picture, retry="padded")
        every = every_face(detector, picture, most=3)
        assert (published is None) == (not every)
        if published is not None:
            found += 1
            assert (every[0].arc == published.arc).all()
            assert (every[0].crop == published.crop).all()
    assert found


def test_the_full_size_networks_end_to_end(random_runtime, tmp_path, clip_of):
    """A woman, a cup in which no face may be seen, and somebody else, with seeded random weights."""
    references = []
    for name in ("astronaut", "camera"):
        Image.fromarray(getattr(skimage.data, name)()).convert("RGB").save(tmp_path / f"{name}.png")
        references.append(Reference(path=tmp_path / f"{name}.png", label="person"))
    evaluator = SubjectFaces(SubjectFacesOptions(frames=2), random_runtime)
    assert set(evaluator.weights) == {"det_10g.onnx", "w600k_r50.onnx", "curricularface_r101"}
    looking = evaluator.start(Target(sample_id="s", references=tuple(references), prompt=""), clip_of(2))
    frames = np.stack([skimage.data.astronaut()[:180, :320], skimage.data.astronaut()[20:200, :320]])
    looking.add([0, 1], frames)
    found = {m.name: m for m in looking.finish()}
    assert list(found) == [spec.name for spec in evaluator.specs]
    for measurement in found.values():
        assert measurement.value is None or 0 <= measurement.value <= 1
    assert found["subject_face_coverage"].value is not None
