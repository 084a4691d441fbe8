from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.core.resampling import BootstrapRule, Resampling, percentile_interval


def test_the_spread_of_the_mean_has_a_closed_form() -> None:
    """Equal clusters: the bootstrap variance of the mean is that of the cluster means over their number."""
    rng = np.random.default_rng(7)
    clusters = rng.normal(size=30)
    values = (clusters[:, None] + 0.1 * rng.normal(size=(30, 5))).reshape(-1, 1)
    names = [f"id{i // 5}" for i in range(150)]
    resampling = Resampling.of(names, BootstrapRule(resamples=20_000))
    means = resampling.means(values, resampling.columns(names))
    exact = values.reshape(30, 5).mean(axis=1).std() / math.sqrt(30)
    assert means.std() == pytest.approx(exact, rel=0.03)  # standard error of the estimate: 0.5%
    assert means.mean() == pytest.approx(values.mean(), abs=4 * exact / math.sqrt(20_000))


def test_intervals_cover_and_single_samples_would_not() -> None:
    """Normal identities of variance 1 and samples of variance 0.25: intervals must hold the true mean, 0."""
    rng = np.random.default_rng(11)
    trials, identities, prompts = 400, 40, 5
    values = rng.normal(size=(identities, 1, trials)) + 0.5 * rng.normal(size=(identities, prompts, trials))
    flat = values.reshape(-1, trials)
    rule = BootstrapRule(resamples=400)
    covered = {}
    for unit, names in {
        "identity": [f"id{i // prompts:02d}" for i in range(len(flat))],
        "sample": [f"{i:03d}" for i in range(len(flat))],
    }.items():
        resampling = Resampling.of(names, rule)
        low, high = percentile_interval(resampling.means(flat, resampling.columns(names)), rule.level)
        covered[unit] = float(((low <= 0) & (high >= 0)).mean())
    # 95% asymptotically, a little less with 40 identities; three standard errors of 400 trials are 3.3%.
    assert 0.90 <= covered["identity"] <= 0.98
    assert covered["sample"] < 0.75


def test_missing_values_do_not_count() -> None:
    names = ["a", "a", "b"]
    values = np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, 5.0]])
    resampling = Resampling.of(names, BootstrapRule(resamples=200))
    means = resampling.means(values, resampling.columns(names))
    only_b = resampling.draws[:, 0] == 0
    assert np.isnan(means[only_b, 0]).all()
    assert (means[~only_b, 0] == 2.0).all()
    assert only_b.any()
    low, high = percentile_interval(means, 0.95)
    assert low.tolist() == [2.0, 5.0]
    assert high.tolist() == [2.0, 5.0]


def test_no_value_at_all_has_no_interval() -> None:
    low, high = percentile_interval(np.full((10, 2), np.nan), 0.95)
    assert np.isnan(low).all()
    assert np.isnan(high).all()


@settings(deadline=None, max_examples=40)
@given(clusters=st.lists(st.integers(0, 4), min_size=1, max_size=12), seed=st.integers(0, 99))
def test_totals_are_what_drawing_rows_gives(clusters: list[int], seed: int) -> None:
    names = [f"id{cluster}" for cluster in clusters]
    values = np.random.default_rng(seed).normal(size=(len(names), 2))
    resampling = Resampling.of(names, BootstrapRule(resamples=10, seed=seed))
    totals = resampling.totals(values, resampling.columns(names))
    for draw, total in zip(resampling.draws, totals, strict=True):
        drawn = dict(zip(resampling.identities, draw, strict=True))
        expected = sum(drawn[name] * row for name, row in zip(names, values, strict=True))
        np.testing.assert_allclose(total, expected, atol=1e-12)
    assert (resampling.draws.sum(axis=1) == len(set(names))).all()


def test_draws_depend_on_seed_and_names_alone() -> None:
    one = Resampling.of(["b", "a", "b"], BootstrapRule(seed=3))
    two = Resampling.of(["a", "b"], BootstrapRule(seed=3))
    assert (one.draws == two.draws).all()
    assert (one.draws != Resampling.of(["a", "b"], BootstrapRule(seed=4)).draws).any()
    with pytest.raises(ValueError, match="no identity"):
        Resampling.of([])
