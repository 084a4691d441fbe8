from __future__ import annotations

import numpy as np
from scipy import stats

from ipvg_eval.core.intervals import Means
from ipvg_eval.core.resampling import BootstrapRule, Resampling, percentile_interval


def test_draws_spread_as_students_t_says() -> None:
    """One value per identity: (n - 1) / n of the variance of the mean is stretched to t's 97.5 %."""
    rng = np.random.default_rng(0)
    values = rng.normal(3.0, 2.0, size=(150, 1))
    names = [f"id{i}" for i in range(150)]
    resampling = Resampling.of(names, BootstrapRule(resamples=20_000))
    means = Means.of(values, resampling.columns(names), 150)
    drawn = resampling.means(means)
    wide = stats.t.ppf(0.975, 149) / stats.norm.ppf(0.975)
    expected = wide * values.std(ddof=1) / np.sqrt(150)
    # The spread of a normal sample of 20,000 is known to 0.5 %; five times that.
    assert abs(drawn.std() / expected - 1) < 0.025
    assert abs(drawn.mean() - values.mean()) < 5 * expected / np.sqrt(20_000)


def test_too_few_identities_have_no_draws() -> None:
    names = list("abcd")
    resampling = Resampling.of(names)
    means = Means.of(np.arange(4.0)[:, None], resampling.columns(names), 4)
    assert np.isnan(resampling.means(means)).all()


def test_nothing_drawn_is_no_interval() -> None:
    low, high = percentile_interval(np.full((10, 2), np.nan), 0.95)
    assert np.isnan([low, high]).all()


def test_same_names_and_seed_give_the_same_draws() -> None:
    one = Resampling.of(["b", "a", "b"], BootstrapRule(seed=3))
    two = Resampling.of(["a", "b"], BootstrapRule(seed=3))
    assert (one.draws == two.draws).all()
    assert (one.draws != Resampling.of(["a", "b"], BootstrapRule(seed=4)).draws).any()
    assert (one.draws.sum(axis=1) == 2).all()
