"""Frame choice, padding, scaling and score by hand-made tables and vbench's own padder."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ipvg_eval.metrics.motion.interpolation import (
    Padding,
    centred_padding,
    clip_smoothness,
    is_large_enough,
    mean_absolute_difference,
    network_divisor,
    pair_count,
    pair_starts,
    scale_factor,
    smoothness,
)
from ipvg_eval.metrics.third_party import published_module


@pytest.mark.parametrize(
    ("frames", "pairs"), [(0, 0), (1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (80, 39), (81, 40), (121, 60)]
)
def test_number_of_pairs(frames: int, pairs: int) -> None:
    assert pair_count(frames) == len(pair_starts(frames)) == pairs


@given(st.integers(0, 400))
def test_every_pair_of_neighbouring_even_frames_is_taken(frames: int) -> None:
    even = list(range(0, frames, 2))
    assert pair_starts(frames) == tuple(even[:-1])


def test_a_budget_takes_pairs_from_both_ends() -> None:
    # 40 pairs, 4 wanted: floor(linspace(0, 39, 4)) = 0, 13, 26, 39, each starting at twice its number.
    assert pair_starts(81, 4) == (0, 26, 52, 78)
    assert pair_starts(81, 40) == pair_starts(81, 1000) == pair_starts(81)


@pytest.mark.parametrize(
    ("height", "width", "divisor", "padding"),
    [
        (480, 832, 16, Padding(left=0, right=0, top=0, bottom=0)),
        (720, 1280, 16, Padding(left=0, right=0, top=0, bottom=0)),
        (1080, 1920, 16, Padding(left=0, right=0, top=4, bottom=4)),
        (1081, 1919, 16, Padding(left=0, right=1, top=3, bottom=4)),
        (1080, 1920, 22, Padding(left=8, right=8, top=10, bottom=10)),
    ],
)
def test_padding_table(height: int, width: int, divisor: int, padding: Padding) -> None:
    assert centred_padding(height, width, divisor) == padding


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 99))
def test_padding_is_that_of_vbenchs_padder(height: int, width: int, divisor: int) -> None:
    padder = published_module("vbench.third_party.amt.utils.utils", package="vbench").InputPadder
    pad = centred_padding(height, width, divisor)
    assert [pad.left, pad.right, pad.top, pad.bottom] == padder((1, 3, height, width), divisor)._pad


@pytest.mark.parametrize(
    ("height", "width", "memory_gib", "steps"),
    [
        (1080, 1920, 8, 22),  # 0.727
        (2160, 3840, 24, 32),  # 0.5
        (2160, 3840, 80, 23),  # 0.696
        (720, 1280, 8, 16),
        (480, 832, 8, 16),
        (2160, 3840, None, 16),
    ],
)
def test_scale_table(height: int, width: int, memory_gib: float | None, steps: int) -> None:
    scale = scale_factor(height, width, memory_gib)
    assert scale == pytest.approx(16 / steps, abs=1e-12)
    assert network_divisor(scale) == steps


def test_memory_rule_needs_more_than_it_sets_aside() -> None:
    with pytest.raises(ValueError, match=r"2\.44 GiB"):
        scale_factor(1080, 1920, 2.44)


@given(st.integers(64, 2160), st.integers(64, 3840), st.floats(3.0, 200.0))
def test_scale_never_enlarges_and_never_falls_with_memory(height: int, width: int, memory: float) -> None:
    assert 0 < scale_factor(height, width, memory) <= scale_factor(height, width, 2 * memory) <= 1


@pytest.mark.parametrize(
    ("height", "width", "fits"), [(112, 640, False), (113, 640, True), (640, 112, False), (128, 128, True)]
)
def test_smallest_frame(height: int, width: int, fits: bool) -> None:
    # 113 is padded to 128: 16 cells of features, and 2 at the fourth correlation level; 112 leaves 1.
    assert is_large_enough(height, width, 1.0) is fits


@settings(deadline=None, max_examples=50)
@given(hnp.arrays(np.uint8, (2, 9, 7, 3)))
def test_difference_is_opencvs_absdiff_mean(frames: np.ndarray) -> None:
    first, second = frames
    difference = mean_absolute_difference(first, second)
    assert difference == float(np.mean(cv2.absdiff(first, second)))
    assert difference == mean_absolute_difference(second, first)
    assert mean_absolute_difference(first, first) == 0.0
    assert 0.0 <= smoothness(difference) <= 1.0


def test_score_by_hand() -> None:
    assert smoothness(0.0) == 1.0
    assert smoothness(255.0) == 0.0
    assert smoothness(51.0) == 0.8
    # (255 - (0 + 51 + 102) / 3) / 255
    assert clip_smoothness([0.0, 51.0, 102.0]) == 0.8
