"""What the videos of one submission may cost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvg_eval.core.budget import Budget, Spending
from ipvg_eval.core.errors import UsageError


def test_what_is_left_out_goes_by_the_number_of_samples() -> None:
    budget = Budget.parse("pixels=1e12").for_samples(100)
    assert budget == Budget(seconds=300 + 10 * 100, bytes=2**30 + 100 * 64 * 2**20, pixels=10**12)
    assert budget.for_samples(5) == budget


@pytest.mark.parametrize(
    "text",
    ["", "1", "seconds", "seconds=", "seconds=x", "hours=1", "seconds=0", "seconds=-1", "seconds=nan",
     "seconds=inf", "bytes=inf", "bytes=1.5", "pixels=0", "seconds=1,seconds=2", "seconds=1=2"],
)  # fmt: skip
def test_what_is_not_understood_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="--budget") as caught:
        Budget.parse(text)
    assert caught.value.exit_code == 2


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20), st.integers(1, 300))
def test_videos_are_refused_from_the_first_that_is_too_much(sizes: list[int], most: int) -> None:
    spending = Spending(Budget(bytes=most), {str(n): size for n, size in enumerate(sizes)})
    for n in range(len(sizes)):
        assert (spending.refusal(str(n)) is None) == (sum(sizes[: n + 1]) <= most)


@pytest.mark.parametrize("unit", ["seconds", "pixels"])
def test_a_budget_that_is_met_exactly_is_not_used_up(unit: str) -> None:
    spending = Spending(Budget.parse(f"{unit}=10"), {"a": 1})
    spending.spend(**{unit: 10})
    assert (spending.share, spending.refusal("a")) == (1.0, None)
    spending.spend(**{unit: 1})
    assert spending.share == 1.1
    assert "budget of 10 " in f"{spending.refusal('a')} "


def test_time_that_is_used_up_takes_no_open_video_away() -> None:
    spending = Spending(Budget.parse("seconds=1,pixels=10"), {"a": 1, "b": 1})
    spending.spend(seconds=2)
    assert spending.pay(10) is None
    assert spending.refusal("b") is not None
    assert "more pixels" in f"{spending.pay(1)}"
