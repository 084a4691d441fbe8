from __future__ import annotations

import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.metrics.faces.detection import Face, border_of, largest_face, with_border


def face(left: float, top: float, width: float, height: float, score: float = 1.0) -> Face:
    return Face(box=np.array([left, top, left + width, top + height]), score=score, points=np.zeros((5, 2)))


def test_the_largest_box_counts_whatever_its_score():
    small, large = face(0, 0, 9, 9, 1.0), face(5, 5, 10, 10, 0.6)
    assert largest_face([large, small]) is large
    assert largest_face([small, large]) is large


def test_of_equal_boxes_the_last_counts():
    first, second = face(0, 0, 10, 20), face(30, 30, 20, 10)
    assert largest_face([first, second]) is second
    assert largest_face([second, first]) is first


def test_no_faces_no_largest():
    assert largest_face([]) is None


@pytest.mark.parametrize(
    ("height", "width", "border"), [(480, 832, (208, 120)), (7, 10, (2, 1)), (3, 3, (0, 0))]
)
def test_border_is_a_quarter_of_each_side_rounded_down(height, width, border):
    assert border_of(height, width) == border


def test_border_is_grey_around_the_untouched_picture():
    picture = skimage.data.astronaut()[:99, :202]
    padded = with_border(picture)
    assert padded.shape == (99 + 2 * 24, 202 + 2 * 50, 3)
    np.testing.assert_array_equal(padded[24:-24, 50:-50], picture)
    assert (padded[:24] == 128).all()
    assert (padded[-24:] == 128).all()
    assert (padded[:, :50] == 128).all()
    assert (padded[:, -50:] == 128).all()
    np.testing.assert_array_equal(with_border(picture[None])[0], padded)


@settings(deadline=None, max_examples=50)
@given(dx=st.floats(-1e4, 1e4), dy=st.floats(-1e4, 1e4))
def test_moving_there_and_back_keeps_a_face(dx, dy):
    start = Face(box=np.array([1.0, 2, 30, 40]), score=0.5, points=np.arange(10.0).reshape(5, 2))
    there = start.moved(dx, dy)
    np.testing.assert_allclose(there.points - start.points, np.tile([dx, dy], (5, 1)), atol=1e-9)
    np.testing.assert_allclose(there.box - start.box, [dx, dy, dx, dy], atol=1e-9)
    back = there.moved(-dx, -dy)
    np.testing.assert_allclose(back.box, start.box, atol=1e-9)
    assert back.score == start.score
    assert back.area == pytest.approx(start.area, abs=1e-6)
