"""Intervals of means: closed forms, a count by hand, and the leaderboard's own numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ipvg_eval.core.combination import Combination
from ipvg_eval.core.resampling import Resampling
from ipvg_eval.leaderboard.metric import Metric
from ipvg_eval.leaderboard.runs import ScoredRun
from ipvg_eval.leaderboard.scores import score_teams
from ipvg_eval.results.aggregate import aggregate, summarise_combinations


def test_two_identities_give_their_own_means_as_ends(make_row, specs):
    """Both identities, one twice or the other twice: a quarter of the draws lies on each end."""
    rows = [make_row("a/1", 0.25), make_row("a/2", 0.75), make_row("b/1", 1.0), make_row("b/2", None)]
    sharpness, noise = aggregate(rows, specs)
    assert (sharpness.low, sharpness.mean, sharpness.high) == (0.5, pytest.approx(2 / 3), 1.0)
    assert (noise.low, noise.high) == (None, None)


def test_equal_values_have_an_interval_of_no_width(make_row, specs):
    sharpness = aggregate([make_row(f"{name}/1", 0.5) for name in "abc"], specs)[0]
    assert (sharpness.low, sharpness.high) == (0.5, 0.5)


@pytest.mark.parametrize("values", [{}, {"a/1": 0.5}, {"a/1": 0.5, "a/2": 0.75}, {"a/1": 0.5, "b/1": None}])
def test_one_identity_with_values_has_no_interval(make_row, specs, values):
    sharpness = aggregate([make_row(sample, value) for sample, value in values.items()], specs)[0]
    assert (sharpness.low, sharpness.high) == (None, None)


def test_a_prompt_more_of_the_same_face_makes_no_interval_narrower(make_row, specs):
    """Copies of what is known already are not new evidence; samples drawn one by one would count them."""
    once = [make_row(f"{name}/1", value) for name, value in zip("abcd", (0.0, 0.25, 0.5, 1.0), strict=True)]
    copies = [row.model_copy(update={"sample": f"{row.identity}/{k}"}) for row in once for k in range(1, 6)]
    one, other = aggregate(once, specs)[0], aggregate(copies, specs)[0]
    assert (other.low, other.high) == (pytest.approx(one.low), pytest.approx(one.high))


def test_a_sum_is_drawn_as_a_whole(make_row, specs):
    """Term by term over the same draws, counted out in a loop."""
    values = {"a/1": 0.1, "a/2": 0.4, "b/1": 0.9, "c/1": 0.3, "c/2": 0.2, "d/1": None}
    rows = [make_row(sample, value) for sample, value in values.items()]
    twice = Combination(name="twice", title="Twice", weights={"sharpness": 2.0})
    summary = summarise_combinations([twice], aggregate(rows, specs), rows)[0]
    resampling = Resampling.of("abcd")
    sums = []
    for draw in resampling.draws:
        times = dict(zip(resampling.identities, draw, strict=True))
        known = [(times[s[0]], v) for s, v in values.items() if v is not None and times[s[0]]]
        if known:
            sums.append(2 * sum(n * v for n, v in known) / sum(n for n, _ in known))
    assert (summary.low, summary.high) == pytest.approx(tuple(np.quantile(sums, [0.025, 0.975])))


def test_the_interval_is_the_one_on_the_leaderboard(make_row, specs, tmp_path):
    import pandas as pd

    rng = np.random.default_rng(5)
    rows = [make_row(f"id{i % 7}/{i}", float(rng.normal())) for i in range(30)]
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
