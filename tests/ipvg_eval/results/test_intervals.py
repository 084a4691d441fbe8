"""Intervals of a run's means: closed forms, and the leaderboard's own numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from ipvg_eval.core.combination import Combination
from ipvg_eval.core.resampling import Resampling
from ipvg_eval.leaderboard.metric import Metric
from ipvg_eval.leaderboard.runs import ScoredRun
from ipvg_eval.leaderboard.scores import score_teams
from ipvg_eval.results.aggregate import aggregate, summarise_combinations

VALUES = {"a/1": 0.1, "a/2": 0.4, "b/1": 0.9, "c/1": 0.3, "c/2": 0.2, "d/1": 0.5, "e/1": 0.6, "f/1": None}


@pytest.mark.parametrize("count", [1, 2, 4])
def test_fewer_than_five_identities_with_values_have_no_interval(make_row, specs, count):
    rows = [make_row(f"{name}/1", 0.5 if place < count else None) for place, name in enumerate("abcdefgh")]
    sharpness = aggregate(rows, specs)[0]
    assert (sharpness.low, sharpness.high, sharpness.identities) == (None, None, count)


def test_equal_values_have_an_interval_of_no_width(make_row, specs):
    sharpness = aggregate([make_row(f"{name}/1", 0.5) for name in "abcde"], specs)[0]
    assert (sharpness.low, sharpness.high) == (0.5, 0.5)


def test_symmetric_identities_have_students_interval_within_bounds(make_row, specs):
    values = [0.2, 0.4, 0.5, 0.6, 0.8]
    rows = [make_row(f"{name}/1", value) for name, value in zip("abcde", values, strict=True)]
    sharpness = aggregate(rows, specs)[0]
    expected = stats.t.interval(0.95, 4, np.mean(values), stats.sem(values))
    assert (sharpness.low, sharpness.high) == pytest.approx(expected)
    wide = aggregate([make_row(f"{name}/1", float(name in "ab")) for name in "abcde"], specs)[0]
    assert wide.low == 0.0


def test_a_prompt_more_of_the_same_face_makes_no_interval_narrower(make_row, specs):
    """Copies of what is known already are not new evidence; samples drawn one by one would count them."""
    once = [
        make_row(f"{name}/1", value) for name, value in zip("abcde", (0.0, 0.25, 0.5, 1.0, 0.4), strict=True)
    ]
    copies = [row.model_copy(update={"sample": f"{row.identity}/{k}"}) for row in once for k in range(1, 6)]
    one, other = aggregate(once, specs)[0], aggregate(copies, specs)[0]
    assert (other.low, other.high) == (pytest.approx(one.low), pytest.approx(one.high))


def test_a_sum_of_one_term_is_that_term_scaled(make_row, specs):
    rows = [make_row(sample, value) for sample, value in VALUES.items()]
    twice = Combination(name="twice", title="Twice", weights={"sharpness": 2.0})
    metrics = aggregate(rows, specs)
    total = summarise_combinations([twice], metrics, rows)[0]
    assert (total.low, total.high) == pytest.approx((2 * metrics[0].low, 2 * metrics[0].high))


def test_neither_order_nor_repeated_rows_change_an_end(make_row, specs):
    rows = [make_row(sample, value) for sample, value in VALUES.items()]
    one, other = aggregate(rows, specs)[0], aggregate([*rows[::-1], rows[3]], specs)[0]
    assert (one.low, one.high) == (other.low, other.high)


def test_the_interval_is_the_one_on_the_leaderboard(make_row, specs, tmp_path):
    import pandas as pd

    rng = np.random.default_rng(5)
    rows = [make_row(f"id{i % 7}/{i}", float(rng.uniform())) for i in range(30)]
    summary = aggregate(rows, specs)[0]
    samples = pd.DataFrame({"sample": [r.sample for r in rows], "identity": [r.identity for r in rows]})
    samples["sharpness"] = [row.measurements[0].value for row in rows]

    class Info:
        team = "alpha"

    run = ScoredRun(path=tmp_path, info=Info(), means={}, samples=samples)
    metric = Metric(
        name="sharpness", title="", unit="", summary="", higher_is_better=True, proxy=False, weight=1.0
    )
    table = score_teams([run], [metric], Resampling.of(samples["identity"]), coverage=0.0).table
    assert summary.low == pytest.approx(table["low"][0], rel=1e-12)
    assert summary.high == pytest.approx(table["high"][0], rel=1e-12)
    assert math.isclose(summary.mean, table["mean"][0])
