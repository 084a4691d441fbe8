"""Frame tables of the published scripts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.metrics.sampling import schedule


def test_the_floor_rule_on_81_frames_as_worked_out_by_hand():
    # 81 * i / 16 = 5.0625 i, rounded down.
    assert list(schedule("floor", 81, 16)) == [
        0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75,
    ]  # fmt: skip


def test_the_linspace_rule_on_81_frames_as_worked_out_by_hand():
    # 80 * i / 15 = 5.333 i, rounded down; both ends are in.
    assert list(schedule("linspace", 81, 16)) == [
        0, 5, 10, 16, 21, 26, 32, 37, 42, 48, 53, 58, 64, 69, 74, 80,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        ("linspace", {0: 1, 1: 1, 2: 1}),
        ("linspace_repeat", {0: 2, 1: 2, 2: 1}),  # 0, .5, 1, 1.5, 2
        ("floor", {0: 2, 1: 2, 2: 1}),  # 0, .6, 1.2, 1.8, 2.4
    ],
)
def test_short_videos(sampling, expected):
    assert schedule(sampling, 3, 5) == expected


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(["linspace", "linspace_repeat", "floor"]),
    st.integers(1, 2000),
    st.integers(1, 64),
)
def test_properties(sampling, frame_count, wanted):
    named = schedule(sampling, frame_count, wanted)
    assert list(named) == sorted(named)
    assert min(named) == 0
    assert max(named) < frame_count
    whole = min(frame_count, wanted) if sampling == "linspace" else wanted
    assert sum(named.values()) == whole
    if frame_count > wanted:
        assert all(count == 1 for count in named.values())
    if sampling == "floor" and frame_count > wanted:
        assert frame_count - 1 not in named
    if sampling != "floor" and wanted > 1:
        assert frame_count - 1 in named


def test_an_empty_video_has_no_frames_and_nonsense_is_refused():
    assert schedule("floor", 0, 16) == {}
    with pytest.raises(ValueError, match="frame_count"):
        schedule("linspace", -1, 16)
    with pytest.raises(ValueError, match="wanted"):
        schedule("linspace", 10, 0)
