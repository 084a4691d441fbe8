"""The stopping rule: its error adds up, and simulated studies make no more of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import logit

from ipvg_eval.leaderboard.simulated_studies import Crowd, misleads, outcome, simulate
from ipvg_eval.leaderboard.stopping import StoppingRule, decided, evidence


def test_looks_are_even_and_spend_the_error_once():
    rule = StoppingRule(error=0.05, looks=5)
    assert rule.at(3000) == (600, 1200, 1800, 2400, 3000)
    assert math.fsum(rule.spent(look) for look in range(1, 6)) == pytest.approx(0.05)
    assert rule.spent(1) == pytest.approx(0.05 / 25)
    assert StoppingRule(looks=5).at(3) == (1, 2, 3)


@pytest.mark.parametrize("schedule", ["fixed", "adaptive"])
def test_close_teams_are_put_the_wrong_way_round_no_more_often_than_stated(schedule):
    # Teams so close that the order is nearly as open as a coin: where a rule errs most.
    crowd = Crowd(
        strengths=np.array([0.01, 0.0, -0.01]), identities=40, prompts=10, annotators=0, face=0.5, taste=0.0
    )
    simulated = simulate(crowd, 1000, 200, np.random.default_rng(0), schedule=schedule, target="first")
    found = outcome(simulated, StoppingRule(decide="first", error=0.1, looks=4))
    assert found.wrong <= 0.1 + 3 * math.sqrt(0.1 * 0.9 / 200)


def test_evidence_of_two_teams_is_that_of_one_share():
    # Two teams: the log-odds of a share, and by the delta method its error over identities of one vote each.
    crowd = Crowd(strengths=np.array([0.3, -0.3]), identities=400, annotators=0, taste=0.0)
    simulated = simulate(crowd, 400, 1, np.random.default_rng(3))
    votes = simulated.comparisons(0, 400)
    share = simulated.answer[0].mean()
    error = math.sqrt(1 / (share * (1 - share) * 400)) * math.sqrt(400 / 399)
    from scipy.stats import t

    found = evidence(votes)
    assert found.strengths[0] - found.strengths[1] == pytest.approx(logit(share))
    assert found.chances[0, 1] == pytest.approx(t.sf(logit(share) / error, 399), rel=1e-6)
    assert found.chances[1, 0] == pytest.approx(1 - found.chances[0, 1])


def test_a_team_that_never_lost_is_tested_by_signs():
    crowd = Crowd(strengths=np.array([40.0, -40.0]), identities=12, annotators=0, taste=0.0)
    votes = simulate(crowd, 12, 1, np.random.default_rng(0)).comparisons(0, 12)
    assert evidence(votes).chances[0, 1] == 0.5**12
    assert evidence(votes).chances[1, 0] == 1
    assert decided(votes, StoppingRule(looks=1), 1) == (0, 1)
    few = Crowd(strengths=np.array([40.0, -40.0]), identities=12, annotators=3, taste=0.0)
    alone = simulate(few, 12, 1, np.random.default_rng(0)).comparisons(0, 12)
    assert evidence(alone).chances[0, 1] == 0.5**3


def test_nobody_is_first_on_the_votes_of_few_identities():
    crowd = Crowd(strengths=np.array([0.5, -0.5]), identities=4, prompts=50, annotators=0, taste=0.0)
    votes = simulate(crowd, 200, 1, np.random.default_rng(0)).comparisons(0, 200)
    assert decided(votes, StoppingRule(looks=1), 1) == ()


def test_what_is_wrong():
    strengths = np.array([0.2, 0.9, -1.0])
    assert not misleads((1, 0, 2), strengths)
    assert misleads((0, 1, 2), strengths)
    assert misleads((0,), strengths)
    assert not misleads((1,), strengths)
