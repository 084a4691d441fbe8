"""One-to-one matching: by hand, against trying every assignment, and laws."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ipvg_eval.metrics.subject.matching import Matches, match, subject_table

COSINES = st.floats(-1, 1).map(lambda x: round(x, 2))
TABLES = st.tuples(st.integers(1, 4), st.integers(0, 4)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=COSINES)
)


def total(matched):
    return sum(value for value in matched if value is not None)


def count(matched):
    return sum(value is not None for value in matched)


def test_two_subjects_by_hand():
    """Each alone would take the first detection; together .8 + .7 beats .9 + .1."""
    assert match(np.array([[0.9, 0.8], [0.7, 0.1]]), above=0.0) == (0.8, 0.7)


def test_a_match_that_adds_nothing_is_not_made():
    assert match(np.array([[0.9, -0.2], [0.5, -0.1]]), above=0.0) == (0.9, None)
    assert match(np.array([[0.3]]), above=0.3) == (None,)
    assert match(np.array([[0.9, -0.2], [0.5, -0.1]])) in {(0.9, -0.1)}


def test_empty_tables_and_what_is_not_a_number():
    assert match(np.empty((2, 0)), above=0.0) == (None, None)
    assert match(np.empty((2, 0))) == (None, None)
    assert match(np.array([[np.nan, 0.4]]), above=0.0) == (0.4,)
    assert match(np.array([[np.nan, np.nan]])) == (None,)


@settings(deadline=None, max_examples=150)
@given(TABLES, st.sampled_from([-np.inf, 0.0, 0.25]))
def test_it_is_the_best_of_all_assignments(table, above):
    """Against every partial assignment, tried one by one; without a bound, every complete one."""
    subjects, detections = table.shape
    choices = itertools.product([None, *range(detections)], repeat=subjects)
    floor = above if np.isfinite(above) else -2.0
    best = 0.0
    for choice in choices:
        used = [k for k in choice if k is not None]
        if len(set(used)) == len(used):
            pairs = [table[i, k] for i, k in enumerate(choice) if k is not None]
            if all(value > floor for value in pairs):
                best = max(best, sum(value - floor for value in pairs))
    found = match(table, above=above)
    assert total(found) - floor * count(found) == pytest.approx(best, abs=1e-7)


@settings(deadline=None, max_examples=100)
@given(TABLES, st.randoms(use_true_random=False))
def test_order_does_not_matter(table, random):
    rows, columns = list(range(table.shape[0])), list(range(table.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    one, other = match(table, above=0.0), match(table[rows][:, columns], above=0.0)
    assert total(one) == pytest.approx(total(other))
    assert count(one) == count(other)


@settings(deadline=None, max_examples=100)
@given(TABLES, st.data())
def test_a_hopeless_detection_changes_nothing(table, data):
    hopeless = st.one_of(st.floats(-1, 0), st.just(float("nan")))
    column = data.draw(arrays(np.float64, (len(table), 1), elements=hopeless))
    one, other = match(table, above=0.0), match(np.hstack([table, column]), above=0.0)
    assert total(one) == pytest.approx(total(other))
    assert count(one) == count(other)


@settings(deadline=None, max_examples=100)
@given(TABLES, st.data())
def test_no_detection_lowers_the_sum_or_the_number_of_matches(table, data):
    column = data.draw(arrays(np.float64, (len(table), 1), elements=COSINES))
    one, other = match(table, above=0.0), match(np.hstack([table, column]), above=0.0)
    assert total(other) >= total(one) - 1e-7
    assert count(other) >= count(one)


def test_means_by_hand():
    matches = Matches(frames=((1.0, None), (0.5, 0.3)))
    assert matches.similarity() == pytest.approx(0.6)
    assert matches.similarity_all() == pytest.approx(0.45)
    assert matches.coverage() == 0.75
    assert [own.similarity() for own in matches.of_subjects()] == pytest.approx([0.75, 0.3])
    assert [frame.coverage() for frame in matches.of_frames()] == [0.5, 1.0]
    nothing = Matches(frames=((None,), (None,)))
    assert (nothing.similarity(), nothing.similarity_all(), nothing.coverage()) == (None, 0.0, 0.0)
    assert Matches(frames=()).coverage() is None


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(*[st.one_of(st.none(), COSINES)] * 3), min_size=1, max_size=6))
def test_coverage_and_means_stay_in_their_ranges(frames):
    matches = Matches(frames=tuple(frames))
    assert 0 <= matches.coverage() <= 1
    assert -1 <= matches.similarity_all() <= 1
    value = matches.similarity()
    assert (value is None) == (matches.coverage() == 0)
    if value is not None:
        assert matches.similarity_all() == pytest.approx(value * matches.coverage())


def test_the_best_picture_of_a_subject_counts():
    pictures = np.array([[0.1, 0.9], [0.6, 0.2], [0.3, np.nan]])
    table = subject_table(pictures, [(0, 1), (2,)])
    assert table[0].tolist() == [0.6, 0.9]
    assert table[1, 0] == 0.3
    assert np.isnan(table[1, 1])
