"""Aggregation: closed forms, and no influence of order or split."""

from __future__ import annotations

import itertools
import math
import statistics

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipvg_eval.core.combination import Combination
from ipvg_eval.core.row import Status
from ipvg_eval.results.aggregate import aggregate, count, summarise_combinations


def test_mean_is_over_the_samples_that_have_a_value(make_row, specs):
    rows = [make_row("a", 0.5), make_row("b", None), make_row("c", 0.25, note="flag"), make_row("d", 0.0)]
    sharpness, noise = aggregate(rows, specs)
    assert (sharpness.mean, sharpness.count, sharpness.missing, sharpness.flagged) == (0.25, 3, 1, 1)
    assert (sharpness.minimum, sharpness.median, sharpness.maximum) == (0.0, 0.25, 0.5)
    assert sharpness.std == pytest.approx(0.25)
    assert (noise.mean, noise.std, noise.median, noise.count, noise.missing) == (None, None, None, 0, 4)


def test_one_value_has_no_deviation(make_row, specs):
    assert aggregate([make_row("a", 0.5)], specs)[0].std is None


def test_no_rows_give_no_numbers(specs):
    assert [(m.mean, m.count, m.missing) for m in aggregate([], specs)] == [(None, 0, 0)] * 2


values = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=values, shards=st.sampled_from([1, 2, 7]), seed=st.randoms())
def test_neither_order_nor_shards_change_a_digit(make_row, specs, values, shards, seed):
    rows = [make_row(f"s{i:03}", value) for i, value in enumerate(values)]
    parts = [rows[i::shards] for i in range(shards)]
    seed.shuffle(parts)
    assert aggregate(itertools.chain(*parts), specs) == aggregate(rows, specs)


@given(values=values)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_agrees_with_the_statistics_module(make_row, specs, values):
    summary = aggregate([make_row(f"s{i:03}", v) for i, v in enumerate(values)], specs)[0]
    assert summary.mean == pytest.approx(statistics.fmean(values))
    assert summary.std == pytest.approx(statistics.stdev(values), rel=1e-6, abs=1e-6)
    assert summary.minimum <= summary.mean + 1e-9 * max(1, abs(summary.mean))
    assert math.isfinite(summary.maximum)


def test_counts_add_up(make_row):
    rows = [
        make_row("a", 0.5),
        make_row("b", 0.5).model_copy(update={"damage": "cut off"}),
        make_row("c", 0.5).model_copy(update={"status": Status.MISSING}),
        make_row("d", 0.5).model_copy(update={"status": Status.CRASHED}),
    ]
    counts = count(rows, samples=6)
    assert (counts.scored, counts.missing, counts.crashed, counts.undecodable) == (2, 1, 1, 0)
    assert (counts.damaged, counts.pending, counts.failed) == (1, 2, 2)


def test_a_combination_is_the_sum_of_means_and_shows_its_terms(make_row, specs):
    rows = [make_row("a", 0.5), make_row("b", 0.25)]
    metrics = aggregate(rows, specs)
    total = Combination(name="total", title="Total", weights={"sharpness": 2.0})
    starved = Combination(name="starved", title="Starved", weights={"sharpness": 1.0, "noise_%": 1.0})
    first, second = summarise_combinations([total, starved], metrics, rows)
    assert first.value == 0.75
    assert [(t.metric, t.weight, t.mean) for t in first.terms] == [("sharpness", 2.0, 0.375)]
    assert (first.low, first.high) == (None, None)
    assert (second.value, second.reason) == (None, "no noise_%")
    assert (second.low, second.high) == (None, None)
