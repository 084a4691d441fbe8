"""Still, looped and reversed videos, from frames whose answer is known by construction."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.audit import Thresholds
from ipvg_eval.audit.motion import best_period, best_reversal, check_motion, mutual_differences

LIMITS = Thresholds()


def frames(count, seed=0):
    return np.random.default_rng(seed).uniform(0, 255, (count, 32, 32)).astype(np.float32)


def slide(count, step=4):
    """A smooth picture that moves on by a few pixels per frame, and never comes back."""
    y, x = np.mgrid[:32, : 32 + step * count]
    picture = 120 + 60 * np.sin(x / 9 + (x / 90) ** 2) + 30 * np.cos(y / 5)
    return np.stack([picture[:, step * k : step * k + 32] for k in range(count)]).astype(np.float32)


def kinds(look):
    return [finding.kind for finding in check_motion(look, LIMITS)]


@pytest.mark.parametrize(
    ("drift", "expected"),
    [(0.0, ["still-video"]), (0.5, ["still-video"]), (1.9, ["nearly-still-video"]), (2.1, [])],
)
def test_the_largest_difference_from_the_first_frame_decides(look, drift, expected):
    small = np.full((10, 32, 32), 100, np.float32)
    small[7] += drift
    assert kinds(look(small=small)) == expected


def test_the_finding_has_its_number_and_its_threshold(look):
    small = np.full((10, 32, 32), 100, np.float32)
    small[3] -= 0.25
    (finding,) = check_motion(look(small=small), LIMITS)
    assert finding.numbers["largest difference"] == pytest.approx(0.25)
    assert finding.thresholds == {"still_difference": 0.5}


@settings(deadline=None, max_examples=60)
@given(period=st.integers(4, 20), repeats=st.integers(2, 4), seed=st.integers(0, 99))
def test_any_loop_is_found_with_its_period(period, repeats, seed):
    small = np.concatenate([frames(period, seed)] * repeats)
    found, difference = best_period(mutual_differences(small))
    assert found % period == 0
    assert difference == 0.0


@settings(deadline=None, max_examples=60)
@given(half=st.integers(6, 30), seed=st.integers(0, 99), turn=st.booleans())
def test_any_reversal_is_found_with_its_turn(half, seed, turn):
    there = frames(half, seed)
    small = np.concatenate([there, there[::-1][int(turn) :]])
    centre, difference = best_reversal(mutual_differences(small), 0.8)
    assert centre == (half - 1 if turn else half - 0.5)
    assert difference == 0.0


def test_loops_and_reversals_are_findings(look):
    there = slide(24)
    assert kinds(look(small=np.concatenate([there, there]))) == ["looped-video"]
    assert kinds(look(small=np.concatenate([there, there[::-1]]))) == ["reversed-loop"]
    noise = np.random.default_rng(1).normal(0, 0.5, (48, 32, 32))
    noisy = np.concatenate([there, there]) + noise
    assert kinds(look(small=noisy.astype(np.float32))) == ["looped-video"]


def test_periods_are_told_in_frames_of_the_video(look):
    there = slide(20)
    (finding,) = check_motion(look(small=np.concatenate([there, there]), every=3), LIMITS)
    assert finding.numbers["period"] == 60


@pytest.mark.parametrize("step", [1, 2, 4])
def test_a_steady_slide_is_nothing(look, step):
    assert kinds(look(small=slide(48, step))) == []


def test_what_is_seen_through_five_thumbnails_is_no_loop(look):
    assert kinds(look(small=np.concatenate([slide(3), slide(2)]), every=None)) == []


def test_one_frame_or_none_is_nothing(look):
    assert kinds(look(small=frames(1))) == []
    assert kinds(look(small=frames(1)[:0])) == []
