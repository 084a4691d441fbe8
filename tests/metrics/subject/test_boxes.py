"""Boxes: borders, areas, overlaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.metrics.subject.boxes import Boxes, chosen, cropped, pixel_boxes


def boxes(*rows, scores=None):
    corners = np.array(rows, dtype=np.float64).reshape(-1, 4)
    scores = np.linspace(0.9, 0.1, len(corners)) if scores is None else np.array(scores, dtype=np.float64)
    return Boxes(corners=corners, scores=scores, labels=np.zeros(len(corners), dtype=np.int64))


def iou(one, other):
    """Intersection over union by counting pixels."""
    grid = np.zeros((2, 60, 60), dtype=bool)
    for layer, (left, top, right, bottom) in zip(grid, (one, other), strict=True):
        layer[top:bottom, left:right] = True
    return (grid[0] & grid[1]).sum() / (grid[0] | grid[1]).sum()


def test_boxes_are_cut_at_the_border_and_take_every_pixel_they_touch():
    found = pixel_boxes(np.array([[-5, -5.5, 3.2, 4.0], [8.7, 1.1, 99, 2.0]]), height=6, width=10)
    assert found.tolist() == [[0, 0, 4, 4], [8, 1, 10, 2]]


@pytest.mark.parametrize(
    "bad",
    [
        (3, 3, 3, 9),
        (5, 5, 2, 2),
        (-9, -9, -1, -1),
        (50, 2, 60, 4),
        (np.nan, 0, 5, 5),
        (0, 0, np.inf, 5),
        (1e308, 1e308, -1e308, 5),
    ],
)
def test_boxes_without_area_inside_the_picture_are_dropped(bad):
    found = chosen(boxes(bad, (1, 1, 4, 4)), height=20, width=20, overlap=0.5, most=5)
    assert found.tolist() == [[1, 1, 4, 4]]


def test_of_overlapping_boxes_the_more_probable_stays():
    one, shifted, other = (0, 0, 10, 10), (0, 1, 10, 11), (30, 30, 40, 40)
    found = chosen(
        boxes(one, shifted, other, scores=[0.2, 0.8, 0.5]), height=60, width=60, overlap=0.5, most=5
    )
    assert found.tolist() == [[*shifted], [*other]]


def test_a_score_that_is_not_a_number_is_no_box():
    found = chosen(boxes((0, 0, 5, 5), scores=[np.nan]), height=9, width=9, overlap=0.5, most=1)
    assert found.shape == (0, 4)
    assert not boxes((0, 0, 5, 5), scores=[np.nan]).finite
    assert not Boxes.broken().finite


CORNERS = st.tuples(*[st.integers(-5, 65)] * 4)


@settings(deadline=None, max_examples=80)
@given(
    st.lists(CORNERS, max_size=8),
    st.lists(st.sampled_from([0.1, 0.5, 0.9]), min_size=8, max_size=8),
    st.randoms(use_true_random=False),
)
def test_what_stays_does_not_overlap_nor_depend_on_the_order(rows, scores, random):
    scores = scores[: len(rows)]
    order = list(range(len(rows)))
    random.shuffle(order)
    one = chosen(boxes(*rows, scores=scores), height=60, width=60, overlap=0.3, most=8)
    mixed = boxes(*[rows[k] for k in order], scores=[scores[k] for k in order])
    other = chosen(mixed, height=60, width=60, overlap=0.3, most=8)
    assert one.tolist() == other.tolist()
    for first, box in enumerate(one):
        assert box[0] < box[2] <= 60
        assert box[1] < box[3] <= 60
        assert all(iou(box, later) <= 0.3 + 1e-6 for later in one[first + 1 :])
        assert cropped(np.zeros((60, 60, 3), dtype=np.uint8), box).size > 0
    assert (
        chosen(boxes(*rows, scores=scores), height=60, width=60, overlap=0.3, most=1).tolist()
        == one[:1].tolist()
    )
