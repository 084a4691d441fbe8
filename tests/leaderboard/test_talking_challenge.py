"""The shipped rules of the talking-head challenge rank invented teams as by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ipvg_eval.leaderboard.challenge import read_challenge
from ipvg_eval.leaderboard.metric import choose_metrics
from ipvg_eval.leaderboard.phase1 import rank_teams
from ipvg_eval.metrics.corpus import corpus_metric
from ipvg_eval.metrics.talking import landmark_specs, speed, sync_specs

RULES = Path(__file__).resolve().parents[2] / "fixtures" / "challenge-talking.yaml"


@pytest.fixture(scope="module")
def challenge():
    return read_challenge(RULES)


@pytest.fixture(scope="module")
def metrics(challenge):
    specs = [
        *(corpus_metric(name).spec for name in ("fvd", "fvd_floor", "fid")),
        *sync_specs.SPECS,
        *landmark_specs.SPECS,
        *(speed.INFERENCE_FPS, speed.REAL_TIME_FACTOR),
    ]
    chosen = choose_metrics(specs, challenge.track("talking").metrics)
    return tuple(metric for metric in chosen if metric.weight)


@pytest.fixture
def values(metrics):
    # fid, fvd, sync_c, sync_d, akd, f_lmd, real_time_factor
    rows = {
        "one": [20, 300, 6, 8, 3, 5, 2.0],
        "two": [25, 250, 5, 9, 4, 6, np.nan],
        "three": [30, 400, 7, 7, 5, 7, 1.0],
    }
    return pd.DataFrame(rows, index=[metric.name for metric in metrics]).T


def test_the_groups_weigh_the_same(metrics):
    weights = {metric.name: metric.weight for metric in metrics}
    assert weights["sync_c"] + weights["sync_d"] == weights["akd"] + weights["f_lmd"] == weights["fid"] == 1
    assert sum(weights.values()) == 5
    assert [metric.name for metric in metrics if metric.optional] == ["real_time_factor"]


def test_a_team_without_a_speed_ranks_last_there_and_stays(metrics, values, challenge):
    ranked = rank_teams(values, metrics, finalists=challenge.finalists)
    rows = ranked.table.set_index("team")
    # one: 1 + 2 + 2 + 1 + 1; two: 2 + 1 + 3 + 2 + 3; three: 3 + 3 + 1 + 3 + 2
    assert dict(rows["rank_sum"]) == {"one": 7.0, "two": 11.0, "three": 12.0}
    assert rows["eligible"].all()
    assert rows["finalist"].all()
    assert "last where an optional score is missing (Real-time factor: no score)" in rows.loc["two", "why"]


def test_any_other_missing_score_bars_a_team(metrics, values):
    values.loc["one", "sync_c"] = np.nan
    rows = rank_teams(values, metrics, finalists=3).table.set_index("team")
    assert dict(rows["eligible"]) == {"one": False, "two": True, "three": True}
    assert "Sync-C" in rows.loc["one", "why"]
