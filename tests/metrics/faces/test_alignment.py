from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.metrics.faces.alignment import TEMPLATE, align, alignment, template

IDENTITY = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def similarity_matrix(degrees: float, scale: float, x: float, y: float) -> np.ndarray:
    angle = math.radians(degrees)
    return np.array(
        [
            [scale * math.cos(angle), -scale * math.sin(angle), x],
            [scale * math.sin(angle), scale * math.cos(angle), y],
        ]
    )


def moved(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ matrix[:, :2].T + matrix[:, 2]


def test_template_is_the_published_one_and_doubles_at_224():
    published = [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
    np.testing.assert_array_equal(template(), published)
    np.testing.assert_array_equal(template(224), 2 * np.array(published))


@pytest.mark.parametrize("size", [0, -112, 111, 160])
def test_other_sizes_are_refused(size):
    with pytest.raises(ValueError, match="multiple of 112"):
        template(size)


def test_landmarks_on_the_template_need_no_transform():
    np.testing.assert_allclose(alignment(template()), IDENTITY, atol=1e-12)
    np.testing.assert_allclose(alignment(template(), 224), 2 * IDENTITY, atol=1e-12)


@settings(deadline=None, max_examples=100)
@given(
    degrees=st.floats(-180, 180),
    scale=st.floats(0.02, 50),
    x=st.floats(-5000, 5000),
    y=st.floats(-5000, 5000),
    size=st.sampled_from([112, 224]),
)
def test_a_known_similarity_is_undone(degrees, scale, x, y, size):
    landmarks = moved(similarity_matrix(degrees, scale, x, y), template())
    np.testing.assert_allclose(moved(alignment(landmarks, size), landmarks), template(size), atol=1e-6)


@settings(deadline=None, max_examples=50)
@given(offsets=st.lists(st.floats(-8, 8), min_size=10, max_size=10))
def test_the_transform_is_the_least_squares_similarity(offsets):
    landmarks = template() + np.reshape(offsets, (5, 2))
    # Without reflection x' = a x - b y + c, y' = b x + a y + d is linear in a, b, c, d.
    rows = []
    for px, py in landmarks:
        rows += [[px, -py, 1, 0], [py, px, 0, 1]]
    (a, b, c, d), *_ = np.linalg.lstsq(np.array(rows), template().ravel(), rcond=None)
    np.testing.assert_allclose(alignment(landmarks), [[a, -b, c], [b, a, d]], atol=1e-8)


def test_mirrored_landmarks_are_not_mirrored_back():
    mirrored = template() * [-1, 1]
    assert np.linalg.det(alignment(mirrored)[:, :2]) > 0


@pytest.mark.parametrize(
    "landmarks",
    [np.ones((5, 2)), np.zeros((4, 2)), np.full((5, 2), np.nan)],
    ids=["one point", "four", "nan"],
)
def test_impossible_landmarks_are_refused(landmarks):
    with pytest.raises(ValueError, match="landmarks"):
        alignment(landmarks)


def test_an_aligned_face_is_unchanged():
    picture = skimage.data.astronaut()[50:162, 170:282]
    np.testing.assert_array_equal(align(picture, template()), picture)


def test_a_whole_pixel_shift_is_exact_and_black_outside():
    picture = skimage.data.astronaut()[:112, :112]
    crop = align(picture, template() + np.array([10, -20]))
    np.testing.assert_array_equal(crop[20:, :102], picture[:92, 10:])
    assert not crop[:20].any()
    assert not crop[:, 102:].any()


def test_a_quarter_turn_is_exact():
    picture = skimage.data.astronaut()[50:162, 170:282]
    turned = np.ascontiguousarray(np.rot90(picture))
    x, y = template().T
    landmarks = np.stack([y, 111 - x], axis=1)  # np.rot90 sends (x, y) to (y, 111 - x)
    difference = np.abs(align(turned, landmarks).astype(int) - picture)
    assert difference.max() <= 1


def test_size_224_shows_the_same_face_twice_as_large():
    smooth = cv2.GaussianBlur(skimage.data.astronaut()[50:162, 170:282], (0, 0), 3)
    large = align(smooth, template(), 224)
    assert large.shape == (224, 224, 3)
    # Pixel (2x, 2y) of the large crop is pixel (x, y) of the small one.
    difference = np.abs(large[::2, ::2].astype(int) - smooth)
    assert difference.max() <= 1


def test_grey_pictures_align_too():
    picture = skimage.data.camera()[:112, :112]
    np.testing.assert_array_equal(align(picture, np.array(TEMPLATE)), picture)
