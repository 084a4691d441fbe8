"""Single scores on the scale from 0 to 1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvg_eval.metrics.opens2v.normalisation import unit_aesthetic, unit_natural, unit_nexus, unit_size

ANY = st.floats(-1e6, 1e6)


@pytest.mark.parametrize(
    ("score", "unit"), [(3.0, 0.0), (4.0, 0.0), (5.5, 0.5), (7.0, 1.0), (9.9, 1.0), (-1.0, 0.0)]
)
def test_aesthetics_from_4_to_7(score, unit):
    assert unit_aesthetic(score) == unit


@pytest.mark.parametrize(("score", "unit"), [(0.0, 0.0), (1.0, 0.0), (2.0, 0.25), (3.0, 0.5), (6.0, 1.0)])
def test_naturalness_from_1_to_5(score, unit):
    assert unit_natural(score) == unit


@pytest.mark.parametrize(
    ("value", "unit"), [(0.0, 0.0), (0.25, 0.25), (-0.25, 0.25), (3.0, 1.0), (-3.0, 1.0)]
)
def test_the_size_of_motion_counts_up_to_1(value, unit):
    assert unit_size(value) == unit


@pytest.mark.parametrize(
    ("score", "unit"), [(0.0, None), (0.0125, 0.25), (0.05, 1.0), (0.4, 1.0), (-0.05, -1.0)]
)
def test_nexus_scores_of_0_are_left_out(score, unit):
    assert unit_nexus(score) == unit


@given(ANY, ANY)
def test_a_better_score_is_never_worse_on_the_scale(a, b):
    low, high = sorted((a, b))
    assert 0.0 <= unit_aesthetic(low) <= unit_aesthetic(high) <= 1.0
    assert 0.0 <= unit_natural(low) <= unit_natural(high) <= 1.0
