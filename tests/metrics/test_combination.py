"""Weighted sums: closed forms, missing terms, and the published tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvg_eval.core.combination import Combination, combine

SUM = Combination(name="total", title="Total", weights={"a": 0.25, "b": -2.0})


def test_a_sum_by_hand():
    assert combine(SUM, {"a": 0.5, "b": 0.125, "c": 9.0}).value == -0.125


@pytest.mark.parametrize("values", [{"a": 0.5}, {"a": 0.5, "b": None}])
def test_a_missing_term_makes_the_sum_missing_and_is_named(values):
    combined = combine(SUM, values)
    assert combined.value is None
    assert combined.reason == "no b"


@given(a=st.floats(-1e3, 1e3), b=st.floats(-1e3, 1e3))
def test_it_is_linear(a, b):
    one = combine(SUM, {"a": a, "b": b}).value
    assert combine(SUM, {"a": 2 * a, "b": 2 * b}).value == pytest.approx(2 * one)
