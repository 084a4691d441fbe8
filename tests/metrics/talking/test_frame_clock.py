"""Frames on a clock of 25 ticks a second."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest

from ipvg_eval.metrics.talking.frame_clock import shown_frames


def _shown(fps, count):
    times = [float(Fraction(number) / fps) for number in range(count)]
    return shown_frames(times, float(count / fps))


def test_25_is_the_identity():
    assert _shown(Fraction(25), 100) == tuple(range(100))


def test_30_drops_one_in_six():
    shown = _shown(Fraction(30), 120)
    assert len(shown) == len(set(shown)) == 100


def test_24_doubles_one_in_24():
    shown = _shown(Fraction(24), 96)
    assert len(shown) == 100
    assert Counter(Counter(shown).values()) == {1: 92, 2: 4}


def test_50_takes_every_second():
    # At 1/2 a tick rounds up: frames 2k - 1 and 2k share tick k, and the last one wins.
    assert _shown(Fraction(50), 100) == tuple(range(0, 100, 2))


def test_half_the_rate_doubles_all():
    assert _shown(Fraction(25, 2), 50) == tuple(sorted(2 * list(range(50))))


def test_film_on_video():
    shown = _shown(Fraction(24000, 1001), 240)
    assert len(shown) == round(25 * 240 * 1001 / 24000)
    assert set(shown) == set(range(240))


@pytest.mark.parametrize(
    ("times", "duration", "expected"),
    [
        ([], 0.0, ()),
        ([0.0], 0.04, (0,)),
        ([0.0], 0.2, (0,) * 5),
        ([0.0, 0.0, 0.0], 0.04, (2,)),
        ([0.0, 0.01, 0.03, 0.2], 0.24, (1, 2, 2, 2, 2, 3)),
    ],
)
def test_uneven_times(times, duration, expected):
    assert shown_frames(times, duration) == expected
