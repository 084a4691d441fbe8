"""How many votes a study needs, where that is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from ipvg_eval.leaderboard.simulated_studies import Crowd
from ipvg_eval.leaderboard.stopping import StoppingRule
from ipvg_eval.leaderboard.study_power import plan_study, strengths_of, win_chances


def test_strengths_and_chances_are_one_another():
    assert win_chances(strengths_of([0.55, 0.8, 0.5])) == pytest.approx([0.55, 0.8, 0.5])
    assert strengths_of([0.6]).sum() == pytest.approx(0)


@pytest.fixture(scope="module")
def plan():
    crowd = Crowd(
        strengths=strengths_of([0.58]), identities=200, prompts=5, annotators=0, face=0.0, taste=0.0
    )
    rule = StoppingRule(decide="first", error=0.05)
    return plan_study(crowd, ["a", "b"], rule, seconds=18, studies=300, seed=4)


def test_power_is_that_of_one_share(plan):
    # Two teams, votes that share nothing: a one-sided test of a share against a half.
    for row in plan.schedule:
        share = 0.58
        expected = norm.cdf(
            (math.log(share / (1 - share)) * math.sqrt(row.votes * share * (1 - share))) - norm.ppf(0.95)
        )
        assert row.first == pytest.approx(expected, abs=4 * math.sqrt(0.25 / 300))
        assert row.first == row.order
        assert row.hours == pytest.approx(row.votes * 18 / 3600)
    assert plan.most == 1000
    assert plan.needed is not None
    # 80 % need (1.645 + 0.842)^2 / (logit^2 p (1 - p)) = 244 votes; the schedule is asked in steps of 100.
    assert plan.needed.votes in (200, 300)
    # With 1,000 votes the smallest is 50 + 2.49 x 0.5 / sqrt(1000) = 54 %.
    assert plan.smallest in (0.53, 0.54, 0.55)


def test_an_adaptive_study_of_two_teams_ends_early(plan):
    assert plan.adaptive.decided > 0.95
    assert plan.adaptive.votes < 700
    assert plan.adaptive.wrong <= 0.05


def test_time_limits_the_votes():
    crowd = Crowd(strengths=strengths_of([0.6, 0.6]), identities=20, annotators=10)
    small = plan_study(crowd, ["a", "b", "c"], StoppingRule(), most=120, studies=20)
    assert small.most == 120
    assert [row.votes for row in small.schedule] == [12 * part for part in range(1, 11)]
    assert plan_study(crowd, ["a", "b", "c"], StoppingRule(), most=9999, studies=20).most == 300
    again = plan_study(crowd, ["a", "b", "c"], StoppingRule(), most=120, studies=20)
    assert again == small
    assert np.isfinite(small.strengths).all()
