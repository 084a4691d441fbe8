from __future__ import annotations

import base64
import importlib.metadata
import itertools

import cv2
import numpy as np
import pytest
import skimage.data
from skimage.feature import Cascade

from ipvg_eval.core.measurement import Frames
from ipvg_eval.metrics.faces.detection import Face, find_faces, largest_face
from ipvg_eval.metrics.faces.mtcnn import Mtcnn


@pytest.fixture(scope="module")
def detector() -> Mtcnn:
    return Mtcnn()


@pytest.fixture(scope="module")
def astronaut() -> Frames:
    return skimage.data.astronaut()


@pytest.fixture(scope="module")
def astronaut_face(detector: Mtcnn, astronaut: Frames) -> Face:
    (face,) = detector.detect(astronaut[None])[0]
    return face


def assert_same_faces(one: tuple[Face, ...], other: tuple[Face, ...]) -> None:
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.box, b.box)
        np.testing.assert_array_equal(a.points, b.points)
        assert a.score == b.score


def test_weights_are_the_ones_the_wheel_was_published_with(detector):
    recorded = {
        f"mtcnn_{file.stem}": base64.urlsafe_b64decode(file.hash.value + "=").hex()
        for file in importlib.metadata.files("facenet-pytorch") or []
        if file.suffix == ".pt" and file.hash
    }
    assert detector.weights == recorded
    assert len(recorded) == 3


def test_an_independent_detector_finds_the_same_face(astronaut, astronaut_face):
    cascade = Cascade(skimage.data.lbp_frontal_face_cascade_filename())
    grey = cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY)
    (other,) = cascade.detect_multi_scale(
        img=grey, scale_factor=1.2, step_ratio=1, min_size=(60, 60), max_size=(200, 200)
    )
    centre = [other["c"] + other["width"] / 2, other["r"] + other["height"] / 2]
    left, top, right, bottom = astronaut_face.box
    assert left < centre[0] < right
    assert top < centre[1] < bottom
    assert 0.5 < (right - left) / other["width"] < 1.5


def test_landmarks_are_eyes_nose_and_mouth_in_that_order(astronaut_face):
    left, top, right, bottom = astronaut_face.box
    x, y = astronaut_face.points.T
    assert ((x > left) & (x < right) & (y > top) & (y < bottom)).all()
    assert x[0] < x[2] < x[1]  # the nose between the eyes
    assert x[3] < x[4]
    assert max(y[:2]) < y[2] < min(y[3:])


def test_a_face_does_not_depend_on_its_neighbours(detector, astronaut):
    others = [np.roll(astronaut, 37 * k, axis=1) for k in range(1, 3)]
    frames = np.stack([astronaut, *others, np.zeros_like(astronaut)])
    together = detector.detect(frames)
    alone = [detector.detect(frame[None])[0] for frame in frames]
    for one, other in zip(together, alone, strict=True):
        assert_same_faces(one, other)
    assert together[3] == ()


@pytest.mark.parametrize("scale", [1.25, 2.5])
def test_coordinates_are_in_the_frames_own_pixels(detector, astronaut, astronaut_face, scale):
    height, width = astronaut.shape[:2]
    large = cv2.resize(astronaut, (int(width * scale), int(height * scale)), interpolation=cv2.INTER_CUBIC)
    (face,) = detector.detect(large[None])[0]
    tolerance = 0.05 * (astronaut_face.box[2] - astronaut_face.box[0])
    np.testing.assert_allclose(face.points / scale, astronaut_face.points, atol=tolerance)


def test_improbable_faces_are_dropped(astronaut):
    assert Mtcnn(min_probability=1.0).detect(astronaut[None]) == [()]


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 4000), (4000, 1), (39, 39), (40, 40), (41, 60), (3000, 4000)], ids=str
)
def test_frames_without_a_face_of_any_size(detector, shape):
    noise = np.random.default_rng(0).integers(0, 256, (1, *shape, 3), dtype=np.uint8)
    grey = np.full_like(noise, 128)
    assert detector.detect(np.concatenate([noise, grey])) == [(), ()]
    assert find_faces(detector, noise) == [None]


def test_no_frames_no_faces(detector):
    empty = np.zeros((0, 64, 64, 3), dtype=np.uint8)
    assert detector.detect(empty) == []
    assert find_faces(detector, empty) == []


def test_several_faces_and_the_largest_of_them(detector, astronaut):
    small = cv2.resize(astronaut, (256, 256), interpolation=cv2.INTER_AREA)
    picture = np.zeros((512, 768, 3), dtype=np.uint8)
    picture[:, :512] = astronaut
    picture[:256, 512:] = small
    faces = detector.detect(picture[None])[0]
    assert len(faces) == 2
    largest = largest_face(faces)
    assert largest is not None
    assert largest.box[2] < 512


def test_a_face_filling_the_frame_is_found_inside_a_border(detector, astronaut, astronaut_face):
    left, top, right, bottom = astronaut_face.box.astype(int)
    inset = (right - left) // 7
    window = np.s_[top + inset : bottom - inset, left + inset : right - inset]
    close_up = np.ascontiguousarray(astronaut[window])
    assert detector.detect(close_up[None]) == [()]
    (found,) = find_faces(detector, close_up[None])
    assert found is not None
    height, width = close_up.shape[:2]
    assert found.border == (width // 4, height // 4)
    in_the_whole = found.face.points + np.array([left + inset, top + inset])
    np.testing.assert_allclose(in_the_whole, astronaut_face.points, atol=4)


@pytest.mark.parametrize("scale", [1, 3])
def test_a_face_at_the_edge_keeps_its_landmarks(detector, astronaut, astronaut_face, scale):
    left, top, right, bottom = astronaut_face.box.astype(int)
    cut = np.ascontiguousarray(astronaut[top:bottom, left:right])
    large = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    (found,) = find_faces(detector, large[None])
    assert found is not None
    assert found.border == (0, 0)
    in_the_whole = found.face.points / scale + [left, top]
    # The library alone is off by up to 14 pixels here.
    np.testing.assert_allclose(in_the_whole, astronaut_face.points, atol=3)


def test_faces_of_a_photographed_group(detector):
    data = pytest.importorskip("insightface.data")
    group = np.ascontiguousarray(data.get_image("t1")[:, :, ::-1])
    faces = sorted(detector.detect(group[None])[0], key=lambda face: face.box[0])
    assert len(faces) == 6  # six people look at the camera
    for left, right in itertools.pairwise(faces):
        assert left.points[:, 0].max() < right.points[:, 0].min()
