"""Landmark distances by closed forms, and dlib's landmarks on real faces."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from ipvg_eval.metrics.talking.landmark_distances import (
    POINTS,
    aligned_distance,
    mean_absolute,
    mean_euclidean,
)
from ipvg_eval.metrics.talking.landmarks import _LandmarkPass

NAMES = ["akd", "f_lmd", "m_lmd", "f_lmd_aligned", "landmark_coverage"]


@pytest.fixture
def points():
    return np.random.default_rng(0).uniform(50, 200, (POINTS, 2))


def test_a_shift_of_3_and_4(points):
    moved = points + np.array([3, 4])
    assert mean_euclidean(moved, points) == pytest.approx(5)
    assert mean_absolute(moved, points) == pytest.approx(3.5)
    assert aligned_distance(moved, points) == pytest.approx(0, abs=1e-12)


def test_one_lies_between_half_and_071_of_the_other(points):
    other = np.random.default_rng(1).uniform(50, 200, (POINTS, 2))
    ratio = mean_absolute(other, points) / mean_euclidean(other, points)
    assert 0.5 <= ratio <= np.sqrt(0.5)


def test_a_similarity_is_no_aligned_distance(points):
    turn = 1.3 * np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    assert aligned_distance(points @ turn.T + [20, -5], points) == pytest.approx(0, abs=1e-12)


def test_the_unit_is_the_distance_of_the_eyes(points):
    moved = points.copy()
    moved[60] += [0, 34]  # one point of the mouth, which does not align
    eyes = np.linalg.norm(points[36] - points[45])
    assert aligned_distance(moved, points) == pytest.approx(34 / POINTS / eyes)
    assert np.isnan(aligned_distance(points, np.ones((POINTS, 2))))


def _watched(shown, found, aspect=1.0):
    """A pass that finds in frame i, which is grey in i, what `found` says."""
    one = _LandmarkPass(lambda frame: found(int(frame[0, 0, 0])), tuple(shown), 64, aspect)
    for index in sorted(set(shown)):
        one.add([index], np.full((1, 64, 64, 3), index, np.uint8))
    return one


def test_videos_are_compared_by_time_and_not_by_frame(points):
    # Twice as many frames a second: tick k shows frame 2 k.
    slow = _watched(range(10), lambda i: points + i)
    fast = _watched(range(0, 20, 2), lambda i: points + i / 2)
    fast.compare(slow)
    values = {m.name: m.value for m in fast.finish()}
    assert list(values) == NAMES
    assert values == pytest.approx(dict.fromkeys(NAMES[:4], 0) | {"landmark_coverage": 1}, abs=1e-9)


def test_what_is_missing_is_said(points):
    real = _watched(range(10), lambda _: points)
    half = _watched(range(10), lambda i: points + 2 if i < 5 else None)
    half.compare(real)
    values = {m.name: m.value for m in half.finish()}
    assert values["landmark_coverage"] == 0.5
    assert values["akd"] == 2
    none = _watched(range(10), lambda _: None)
    none.compare(real)
    found = {m.name: m for m in none.finish()}
    assert found["landmark_coverage"].value == 0
    assert "both videos" in found["akd"].reason
    real.compare("the test set has no reference video for this sample")
    assert {m.reason for m in real.finish()} == {"the test set has no reference video for this sample"}
    half.compare(none)
    assert {m.reason for m in half.finish()} == {"no face was found in the reference video"}


def test_another_length_and_another_shape_are_noted(points):
    real = _watched(range(10), lambda _: points)
    short = _watched(range(6), lambda _: points, aspect=16 / 9)
    short.compare(real)
    found = short.finish()
    assert found[0].note == (
        "the real video has another shape; the video ends after 6 of 10 moments of the real one"
    )
    assert found[-1].value == 1


@pytest.fixture(scope="module")
def dlib_landmarks():
    pytest.importorskip("dlib", reason="the extra [talking] is not installed")
    from ipvg_eval.metrics.talking.dlib_landmarks import DlibLandmarks

    return DlibLandmarks()


def test_landmarks_lie_on_the_face_and_follow_its_size(dlib_landmarks):
    frame = np.ascontiguousarray(cv2.resize(skimage.data.astronaut()[25:205, 135:315], (256, 256)))
    found = dlib_landmarks.find(frame)
    assert found.shape == (POINTS, 2)
    eyes, mouth = found[36:48].mean(axis=0), found[48:].mean(axis=0)
    # The pupils and the mouth as the eye sees them in the picture.
    assert np.abs(eyes - [129, 110]).max() < 6
    assert np.abs(mouth - [127, 171]).max() < 6
    large = cv2.resize(frame, (512, 512), interpolation=cv2.INTER_CUBIC)
    small = np.ascontiguousarray(cv2.resize(large, (256, 256), interpolation=cv2.INTER_AREA))
    assert mean_absolute(dlib_landmarks.find(small), found) < 0.5
    assert dlib_landmarks.find(np.zeros_like(frame)) is None


@pytest.mark.usefixtures("dlib_landmarks")
def test_another_file_is_refused(monkeypatch, tmp_path):
    from ipvg_eval.metrics.errors import WeightsMissing
    from ipvg_eval.metrics.talking import dlib_landmarks as module

    other = tmp_path / "models" / "shape_predictor_68_face_landmarks.dat"
    other.parent.mkdir()
    other.write_bytes(b"something else")
    monkeypatch.setattr(module, "_file", lambda: Path(other))
    with pytest.raises(WeightsMissing, match="another than the published"):
        module.DlibLandmarks()
