"""Histograms: bars are counts, and values are given away only where that is allowed."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ipvg_eval.core.page import histogram
from ipvg_eval.core.page.charts import bins

SVG = "{http://www.w3.org/2000/svg}"


def heights(chart: str, colour: str) -> list[float]:
    """Of the rectangles of a colour, in drawing order."""
    boxes = ElementTree.fromstring(chart).iter(f"{SVG}rect")
    return [float(box.get("height", "0")) for box in boxes if box.get("fill") == f"var(--{colour})"]


def test_a_histogram_uses_the_page_s_colours_only() -> None:
    chart = histogram([0.1, 0.2, 0.2], 1 / 6)
    assert not re.search(r'(?:fill|stroke)="(?!none|var\(--)[^"]+"', chart)


def bars(values: list[float]) -> list[float]:
    return heights(histogram(values, sum(values) / len(values)), "accent")


def test_bars_are_as_high_as_values_are_many() -> None:
    one, three, two = bars([0.0] * 20 + [10.0] * 60 + [20.0] * 40)
    assert three / one == pytest.approx(3, rel=1e-3)
    assert two / one == pytest.approx(2, rel=1e-3)


@pytest.mark.parametrize("value", [0.0, 1.0, -3.5, 220.0])
def test_equal_values_make_one_bar(value: float) -> None:
    (height,) = bars([value] * 50)
    assert height > 50


def test_few_values_have_a_mark_each() -> None:
    assert len(heights(histogram([1.0, 2.0, 4.0], 7 / 3), "ink")) == 3
    assert heights(histogram([1.0, 2.0, 4.0] * 20, 7 / 3), "ink") == []


def test_marks_can_be_forbidden() -> None:
    assert heights(histogram([1.0, 2.0, 4.0], 7 / 3, marks=False), "ink") == []


def test_charts_with_one_domain_share_their_axis() -> None:
    low = histogram([0.1] * 50, 0.1, domain=(0.0, 1.0))
    high = histogram([0.9] * 50, 0.9, domain=(0.0, 1.0))
    assert axes(low)[0] == axes(high)[0]
    assert (axes(low)[0][0], axes(low)[0][-1]) == (0, 1)


def axes(chart: str) -> list[list[float]]:
    """The numbers along each axis."""
    texts = list(ElementTree.fromstring(chart).iter(f"{SVG}text"))
    return [
        [float(text.text or "") for text in texts if text.get("text-anchor") == anchor]
        for anchor in ("middle", "end")
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.25, 0.999, 1.0]), min_size=1, max_size=6))
@example([1.0])
@example([0.0, 0.0, 1.0])
def test_axes_show_whole_counts_and_possible_values(values: list[float]) -> None:
    chart = histogram(values, sum(values) / len(values), bounds=(0.0, 1.0))
    along, counts = axes(chart)
    assert all(0 <= number <= 1 for number in along)
    assert all(number.is_integer() for number in counts)
    for numbers in (along, counts):
        assert len(numbers) == len(set(numbers)), "nothing is written twice"


@pytest.mark.parametrize(("value", "bounds"), [(1.0, (0.0, 1.0)), (0.0, (0.0, 1.0)), (0.0, (0.0, None))])
def test_a_bar_of_equal_values_stays_in_bounds(value: float, bounds: tuple[float, float | None]) -> None:
    ends, step = bins(value, value, bounds)
    assert ends[0] >= bounds[0]
    assert bounds[1] is None or ends[1] <= bounds[1]
    assert ends[0] <= value <= ends[1]
    assert ends[1] - ends[0] >= step > 0
