"""The arithmetic of text-image scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.metrics.clip.windows import pool_windows
from ipvg_eval.metrics.similarity import cosines, scheduled_mean, unit_rows


def test_cosines_of_known_angles():
    text = np.array([2.0, 0.0], dtype=np.float32)
    images = np.array([[3, 0], [0, 5], [-1, 0], [1, 1], [1, np.sqrt(3)]], dtype=np.float32)
    np.testing.assert_allclose(cosines(images, text), [1, 0, -1, np.sqrt(0.5), 0.5], atol=1e-7)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100))
def test_cosines_ignore_length_and_stay_in_bounds(seed, factor):
    rng = np.random.default_rng(seed)
    images, text = rng.normal(size=(5, 8)), rng.normal(size=8)
    found = cosines(images, text)
    np.testing.assert_allclose(cosines(images * factor, text / factor), found, atol=1e-12)
    assert (np.abs(found) <= 1).all()
    np.testing.assert_allclose(cosines(text[None], text), [1.0])


def test_a_row_of_zeros_stays_zeros():
    assert np.array_equal(unit_rows(np.zeros((1, 3))), np.zeros((1, 3)))


def test_one_window_is_its_own_direction():
    np.testing.assert_allclose(pool_windows(np.array([[3.0, 4.0]])), [0.6, 0.8])


def test_windows_weigh_the_same_whatever_their_length():
    # Unit vectors along x and y average to the diagonal.
    np.testing.assert_allclose(pool_windows(np.array([[100.0, 0.0], [0.0, 0.1]])), [np.sqrt(0.5)] * 2)


def test_a_mean_counts_frames_as_often_as_they_are_named():
    assert scheduled_mean([0, 4], [1.0, 4.0], {0: 1, 4: 2}) == pytest.approx(3.0)
    assert scheduled_mean([4], [4.0], {0: 1, 4: 2}) == 4.0
    assert scheduled_mean([], [], {0: 1}) is None
