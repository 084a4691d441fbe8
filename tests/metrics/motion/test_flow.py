"""Sampling and thresholds by hand-made tables and vbench's own class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.metrics.motion.flow import (
    flow_threshold,
    is_large_enough,
    moving_pairs_needed,
    pair_starts,
    sampling_step,
    strongest_flow,
)
from ipvg_eval.metrics.third_party import published_module


def published_rule() -> Any:
    """vbench's class without its network."""
    kind = published_module("vbench.dynamic_degree", package="vbench").DynamicDegree
    return kind.__new__(kind)


@pytest.mark.parametrize(
    ("fps", "step"),
    [(4, 1), (8, 1), (12, 2), (16, 2), (20, 2), (24, 3), (25, 3), (29.97, 4), (30, 4), (60, 8)],
)
def test_sampling_step(fps: float, step: int) -> None:
    # 12 / 8 = 1.5 and 20 / 8 = 2.5 both go to 2, 30 / 8 = 3.75 to 4.
    assert sampling_step(fps) == step


def test_pairs_of_a_short_clip() -> None:
    assert pair_starts(81, 16) == tuple(range(0, 80, 2))
    assert pair_starts(82, 16) == tuple(range(0, 80, 2))
    assert pair_starts(5, 24) == (0,)
    assert pair_starts(3, 24) == pair_starts(0, 24) == ()
    # 40 pairs, floor(linspace(0, 39, 4)) = 0, 13, 26, 39.
    assert pair_starts(81, 16, 4) == (0, 26, 52, 78)


@pytest.mark.parametrize(("pairs", "needed"), [(2, 1), (5, 2), (9, 2), (13, 4), (15, 4), (40, 10)])
def test_moving_pairs_needed(pairs: int, needed: int) -> None:
    # Quarter of pairs + 1: 0.75, 1.5, 2.5, 3.5, 4, 10.25; halves go to the even number.
    assert moving_pairs_needed(pairs) == needed


@pytest.mark.parametrize(
    ("height", "width", "fits"), [(120, 640, False), (121, 640, True), (640, 120, False), (128, 128, True)]
)
def test_smallest_frame(height: int, width: int, fits: bool) -> None:
    assert is_large_enough(height, width) is fits


def test_strongest_flow_by_hand() -> None:
    flow = np.zeros((2, 4, 10), dtype=np.float32)
    flow[:, 0, 0] = 3, -4
    flow[:, 3, 9] = -6, 8
    flow[:, 1, 1] = 0, 4
    # 40 vectors: the longest 2 are 10 and 5 pixels.
    assert strongest_flow(flow) == 7.5
    with pytest.raises(ValueError, match="20 vectors"):
        strongest_flow(flow[:, :1])


@settings(deadline=None, max_examples=20)
@given(st.integers(8, 200), st.integers(8, 200), st.integers(0, 2**32 - 1))
def test_strongest_flow_is_vbenchs(height: int, width: int, seed: int) -> None:
    flow = np.random.default_rng(seed).normal(0, 20, (2, height, width)).astype(np.float32)
    theirs = published_rule().get_score(torch.zeros(1, 3, height, width), torch.from_numpy(flow)[None])
    assert strongest_flow(flow) == pytest.approx(theirs, rel=1e-6)  # theirs adds in float32


@settings(deadline=None, max_examples=200)
@given(st.lists(st.floats(0, 40), min_size=2, max_size=60), st.integers(128, 1080), st.integers(128, 1920))
def test_decision_is_vbenchs(strengths: list[float], height: int, width: int) -> None:
    rule = published_rule()
    rule.set_params(frame=torch.zeros(1, 3, height, width), count=len(strengths) + 1)
    threshold = flow_threshold(height, width)
    moving = sum(strength > threshold for strength in strengths)
    assert rule.check_move(strengths) == (moving >= moving_pairs_needed(len(strengths)))
