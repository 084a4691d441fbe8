"""The correlation of two sounds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import pearsonr
from sound_files import RATE, chirp

from ipvg_eval.core.sound import NoSound, Sound
from ipvg_eval.metrics.talking.agreement import agreement, silence


def _sound(samples):
    return Sound(samples=samples, start=0.0, channels=1, codec="pcm_s16le")


def test_a_sound_agrees_with_itself_however_loud():
    found = agreement(chirp(), (chirp() // 3).astype(np.int16))
    assert found.lag == 0
    # A third, cut to whole numbers: noise of at most one step in 3000.
    assert found.value == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("lag", [-RATE, -3200, -1, 0, 1, 3200, RATE])
def test_a_delay_is_found_to_the_sample(lag):
    whole = chirp(6.0)
    first, second = whole[2 * RATE : 4 * RATE + 2 * RATE], whole[2 * RATE - lag : 6 * RATE - lag]
    found = agreement(first, second)
    assert found.lag == lag / RATE
    # The two cuts have other means, by less than a step, at a loudness of thousands.
    assert found.value == pytest.approx(1.0, abs=1e-7)


def test_the_value_is_the_largest_correlation_over_the_overlap():
    rng = np.random.default_rng(0)
    x, y = (rng.integers(-3000, 3000, 4000).astype(np.int16) for _ in range(2))
    x0, y0 = x - x.mean(), y - y.mean()

    def over(lag):
        a, b = x0[max(0, -lag) : 4000 - max(0, lag)], y0[max(0, lag) : 4000 - max(0, -lag)]
        return a @ b / np.sqrt((a @ a) * (b @ b))

    best = max(range(-2000, 2001), key=over)
    found = agreement(x, y)
    assert found.lag == best / RATE
    assert found.value == pytest.approx(over(best), abs=1e-12)
    assert over(0) == pytest.approx(pearsonr(x, y).statistic, abs=1e-12)


def test_other_lengths_and_short_sounds():
    assert agreement(chirp(3.0), chirp(3.0)[: 2 * RATE]).lag == 0
    assert agreement(chirp(3.0)[: 2 * RATE], chirp(3.0)).lag == 0
    one = np.array([5], np.int16)
    assert agreement(one, one).value == 0.0


def test_silence_has_reasons():
    assert silence(NoSound(reason="gone")) == "gone"
    assert "silent" in silence(_sound(np.full(1000, 900, np.int16)))
    assert silence(_sound(chirp())) is None
