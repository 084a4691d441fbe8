from __future__ import annotations

import pytest
from growth import growth
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.testset import natural_key
from ipvg_eval.testset.timelines import looks_like_timeline


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**30), min_size=2, unique=True))
def test_numbers_sort_by_value(numbers):
    names = [f"id{n}/prompt" for n in numbers]
    assert sorted(names, key=natural_key) == [f"id{n}/prompt" for n in sorted(numbers)]


@settings(deadline=None)
@given(st.lists(st.text("a1.0/²٣é", max_size=6), unique=True))
def test_order_is_total(names):
    backwards = names[::-1]
    assert sorted(names, key=natural_key) == sorted(backwards, key=natural_key)


def test_huge_digit_runs_are_no_error():
    assert natural_key("9" * 10_000) < natural_key("1" + "0" * 10_000)


@pytest.mark.parametrize(
    "text",
    [
        "0–2s: [walks]; 2–5s: [sits]",
        "[0-2] walks",
        "0-2: runs",
        "0—2 seconds he jumps",
        "00:01 to 00:03 he runs",
        "1.5 -> 2,5 s she waves",
        "0～2秒 跑",
        "0−2：falls",
    ],
)
def test_timelines(text):
    assert looks_like_timeline(text)


@pytest.mark.parametrize(
    "text",
    ["picks up 2-3 apples", "a 10-year-old boy", "from 2 to 5 people", "2020-2021, a boy", "", "0-2 steps"],
)
def test_other_numbers_are_no_timelines(text):
    assert not looks_like_timeline(text)


@pytest.mark.parametrize("unit", ["1-", "1", "[", "0 to ", "1:1:", "1.1.", "【1-"])
def test_hostile_text_takes_linear_time(unit):
    text = (unit * 100_000)[:100_000]
    assert growth(lambda length: looks_like_timeline(text[:length]), 10_000, 100_000) < 30
