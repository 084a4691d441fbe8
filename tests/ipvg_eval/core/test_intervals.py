"""Intervals: closed forms, an independent library, and how often they hold the truth."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from ipvg_eval.core.intervals import FEW, FEWEST, Crossed, Means, caution, holm, over_identities

_BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "coverage.py"


@pytest.fixture(scope="module")
def coverage():
    """The benchmark that prints the table of docs/statistics.md."""
    spec = importlib.util.spec_from_file_location("coverage_benchmark", _BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_mean_of_symmetric_identities_has_students_interval():
    values = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    means = Means.of(values[:, None], np.arange(5), 5)
    low, high = means.spread().interval(means.values)
    expected = stats.t.interval(0.95, 4, values.mean(), stats.sem(values))
    assert (low[0], high[0]) == pytest.approx(expected)


def test_skewed_identities_have_halls_interval_where_it_is_wider():
    """Written out from Hall (1992): g(T) = T + cT^2/3 + c^2T^3/27 + c/6n^0.5 with c = skewness / n^0.5."""
    values = np.array([0.0, 0.0, 0.1, 0.1, 0.2, 0.9])
    means = Means.of(values[:, None], np.arange(6), 6)
    low, high = (float(end[0]) for end in means.spread().interval(means.values))
    error, tail = stats.sem(values), stats.t.ppf(0.975, 5)
    by = stats.skew(values) / np.sqrt(6)
    transformed = (values.mean() - high) / error
    left = transformed + by * transformed**2 / 3 + by**2 * transformed**3 / 27 + by / 6
    assert left == pytest.approx(-tail)
    assert low == pytest.approx(values.mean() - tail * error)  # Hall's lower end lies further in


def test_prompts_of_one_face_are_not_evidence():
    once = np.array([0.1, 0.5, 0.4, 0.9, 0.3])
    one = Means.of(once[:, None], np.arange(5), 5)
    five = Means.of(np.repeat(once, 5)[:, None], np.repeat(np.arange(5), 5), 5)
    assert np.array(five.spread().interval(five.values)) == pytest.approx(
        np.array(one.spread().interval(one.values))
    )


def test_missing_values_do_not_count():
    values = np.array([[1.0, np.nan], [2.0, np.nan], [np.nan, np.nan], [4.0, 1.0]])
    means = Means.of(values, np.array([0, 0, 1, 2]), 3)
    assert means.values == pytest.approx([7 / 3, 1.0])
    assert means.identities.tolist() == [2, 1]
    assert means.influences.sum(axis=0) == pytest.approx([0, 0])


@pytest.mark.parametrize(
    ("identities", "known"), [(1, False), (FEWEST - 1, False), (FEWEST, True), (FEW, True)]
)
def test_the_rule_of_how_many_identities_an_interval_needs(identities, known):
    means = Means.of(np.arange(float(identities))[:, None], np.arange(identities), identities)
    assert np.isfinite(means.spread().interval(means.values)[0][0]) == known
    assert np.isfinite(means.spread().chance(means.values)[0]) == known
    assert bool(caution(identities)) == (identities < FEW)


def test_equal_identities_have_no_error():
    means = Means.of(np.full((6, 1), 0.25), np.arange(6), 6)
    assert [end[0] for end in means.spread().interval(means.values)] == [0.25, 0.25]
    assert means.spread().chance(means.values) == [0.0]
    zero = Means.of(np.zeros((6, 1)), np.arange(6), 6)
    assert zero.spread().chance(zero.values) == [1.0]


def test_ends_stay_within_what_is_possible():
    means = Means.of(np.array([0.0, 1.0, 1.0, 1.0, 1.0])[:, None], np.arange(5), 5)
    assert means.spread().interval(means.values, bounds=(0.0, 1.0))[1] == [1.0]


def test_chances_are_those_of_the_t_test():
    values = np.random.default_rng(0).normal(0.4, 1.0, (12, 3))
    means = Means.of(values, np.arange(12), 12)
    assert means.spread().chance(means.values) == pytest.approx(stats.ttest_1samp(values, 0).pvalue)


def test_holm_by_hand():
    corrected = holm(np.array([0.01, 0.04, np.nan, 0.03]))
    assert corrected[[0, 1, 3]] == pytest.approx([0.03, 0.06, 0.06])
    assert np.isnan(corrected[2])


def test_crossed_variances_add_up_without_what_they_share():
    """A full table of identities by annotators: Cameron, Gelbach and Miller's sum, written out."""
    rng = np.random.default_rng(1)
    table = rng.normal(size=(6, 5)) + rng.normal(size=(6, 1)) + rng.normal(size=(1, 5))
    gaps = (table - table.mean()) / table.size
    identities, annotators = (index.ravel() for index in np.indices(table.shape))
    crossed = Crossed.of(gaps.ravel()[:, None], identities, annotators)
    one = 6 / 5 * (gaps.sum(axis=1) ** 2).sum()
    other = 5 / 4 * (gaps.sum(axis=0) ** 2).sum()
    both = 30 / 29 * (gaps**2).sum()
    spread = crossed.spread()
    variance = max(one + other - both, one, other)
    assert spread.error[0] ** 2 == pytest.approx(variance)
    assert spread.freedom[0] == pytest.approx(variance**2 / (one**2 / 5 + other**2 / 4))


def test_one_panel_is_clustered_by_identity_alone():
    gaps = np.random.default_rng(2).normal(size=(40, 2))
    gaps -= gaps.mean(axis=0)
    identities = np.arange(40) // 5
    sums = gaps.reshape(8, 5, 2).sum(axis=1)
    expected = over_identities(sums, np.array([8, 8])).error
    for annotators in (None, np.zeros(40, dtype=np.int64)):
        assert Crossed.of(gaps, identities, annotators).spread().error == pytest.approx(expected)


def _allowed(share, simulations):
    """Five standard errors of a share that is counted in so many simulations."""
    return 5 * np.sqrt(share * (1 - share) / simulations)


@pytest.mark.parametrize("kind", ["normal", "skewed"])
@pytest.mark.parametrize(("identities", "least"), [(5, 0.90), (10, 0.93), (20, 0.93), (40, 0.93)])
def test_intervals_of_means_hold_the_truth_as_often_as_they_say(coverage, kind, identities, least):
    found = coverage.mean_coverage(kind, identities, 4000, np.random.default_rng(identities))
    assert found > least - _allowed(least, 4000)
    assert found < 0.97 + _allowed(0.97, 4000)


@pytest.mark.parametrize("identities", [5, 20])
def test_false_stars_are_as_rare_as_they_should_be(coverage, identities):
    found = coverage.false_stars("skewed", identities, 4000, np.random.default_rng(3))
    assert found < 0.05 + _allowed(0.05, 4000)


@pytest.mark.parametrize(("annotators", "least"), [(5, 0.90), (20, 0.93)])
def test_shares_of_points_hold_the_truth_over_people_too(coverage, annotators, least):
    found = coverage.study_coverage(coverage.PUBLISHED, 20, annotators, 80, np.random.default_rng(4))
    assert found["share"] > least - _allowed(least, 80)
    assert found["rank"] > 0.93 - _allowed(0.93, 80)
    assert found["places"] < found["disjoint"]


def test_alpha_holds_the_truth_as_often_as_it_says(coverage):
    found = coverage.alpha_coverage(40, 20, 150, np.random.default_rng(6))
    assert found > 0.93 - _allowed(0.93, 150)
    assert found < 1
