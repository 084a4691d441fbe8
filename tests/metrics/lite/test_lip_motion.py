"""Mouth and loudness, by closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import pearsonr

from ipvg_eval.metrics.lite.lip_motion import lip_sound, loudness, mouth_change


def test_only_the_region_of_the_mouth_counts():
    before = np.zeros((112, 112), np.uint8)
    after = before.copy()
    after[:76] = 255
    assert mouth_change(before, after) == 0
    after[76:112, 32:56] = 200  # half of it
    assert mouth_change(before, after) == mouth_change(after, before) == 100


def test_loudness_of_a_constant_and_of_silence():
    samples = np.concatenate([np.zeros(640), np.full(640, 970), np.ones(100)]).astype(np.int16)
    assert loudness(samples) == pytest.approx(np.log([30, 1000]))


@pytest.mark.parametrize("lag", [-6, -2, 0, 3, 6])
def test_the_lag_is_found(lag):
    whole = np.random.default_rng(0).normal(size=260)
    changes, levels = whole[20:240], whole[20 - lag : 240 - lag]
    found = lip_sound(changes, 5 + 2 * levels)
    assert (found.lag, found.correlation) == (lag, pytest.approx(1.0))


def test_without_a_lag_it_is_pearsons():
    x, y = np.random.default_rng(1).normal(size=(2, 200))
    values = []
    for lag in range(-6, 7):
        begin, end = max(0, -lag), min(200, 200 - lag)
        values.append(pearsonr(x[begin:end], y[begin + lag : end + lag]).statistic)
    assert lip_sound(x, y).correlation == pytest.approx(max(values))


def test_what_never_changes_has_none():
    noise = np.random.default_rng(0).normal(size=100)
    assert lip_sound(np.ones(100), noise) is None
    assert lip_sound(noise, np.ones(100)) is None
    assert lip_sound(noise[:1], noise) is None
