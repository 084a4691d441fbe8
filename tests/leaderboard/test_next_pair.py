"""The next pair against closed forms, and against the schedule that takes all pairs in turn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import multivariate_normal

from ipvg_eval.leaderboard.next_pair import expected_misorder, next_pair, team_pairs
from ipvg_eval.leaderboard.simulated_studies import Crowd, simulate
from ipvg_eval.leaderboard.study_power import power


@pytest.mark.parametrize("gap", [0.0, 0.03, 0.1])
def test_two_teams_end_the_wrong_way_round_as_a_normal_pair_says(gap):
    # The gap is normal with variance v; after m votes its mean will have moved with variance r. The order is
    # wrong where that mean and the gap, correlated with r / v, lie on different sides of 0.
    votes, ahead = 100, 10
    worth = expit(gap) * expit(-gap)
    variance = 1 / (votes * worth)
    learnt = ahead * worth * variance**2 / (1 + ahead * worth * variance)
    both = multivariate_normal([gap, gap], [[learnt, learnt], [learnt, variance]], allow_singular=True)
    wrong = (
        1
        - both.cdf([0, 0])
        - multivariate_normal([-gap, -gap], [[learnt, learnt], [learnt, variance]], allow_singular=True).cdf(
            [0, 0]
        )
    )
    found = expected_misorder(np.array([[gap / 2, -gap / 2]]), np.array([[float(votes)]]), team_pairs(2))
    # 21 nodes meet a function with a kink: good to a hundredth.
    assert found[0, 0] == pytest.approx(wrong, abs=0.01)


def wins_of(strengths, each):
    gaps = np.subtract.outer(strengths, strengths)
    wins = each * expit(gaps)
    np.fill_diagonal(wins, 0)
    return wins[None]


def test_votes_go_where_the_order_is_open():
    strengths = np.array([0.1, 0.0, -2.0])
    counts = np.full((1, 3), 60.0)
    assert team_pairs(3)[next_pair(wins_of(strengths, 60), counts)[0]].tolist() == [0, 1]
    # Who is first is open between the first two, whatever is open further down.
    close = np.array([0.6, 0.4, 0.02, 0.0])
    pair = team_pairs(4)[next_pair(wins_of(close, 100), np.full((1, 6), 100.0), "first")[0]].tolist()
    assert pair == [0, 1]
    assert team_pairs(4)[next_pair(wins_of(close, 100), np.full((1, 6), 100.0))[0]].tolist() == [2, 3]


def test_every_pair_has_its_share_and_none_that_is_used_up_is_chosen():
    strengths = np.array([0.1, 0.0, -2.0])
    assert next_pair(wins_of(strengths, 10), np.array([[30.0, 30.0, 9.0]]))[0] == 2
    assert next_pair(wins_of(strengths, 10), np.array([[900.0, 30.0, 29.0]]))[0] == 2  # a tenth of 320
    closed = np.array([[False, True, True]])
    assert next_pair(wins_of(strengths, 60), np.full((1, 3), 60.0), available=closed)[0] != 0
    assert next_pair(wins_of(strengths, 5), np.full((1, 3), 5.0), available=closed)[0] != 0


def test_many_studies_at_once_choose_as_each_alone():
    rng = np.random.default_rng(0)
    wins = rng.integers(5, 60, (20, 4, 4)).astype(float)
    wins[:, np.arange(4), np.arange(4)] = 0
    one, other = team_pairs(4).T
    counts = (wins + wins.swapaxes(1, 2))[:, one, other]
    together = next_pair(wins, counts)
    assert together.tolist() == [
        int(next_pair(w[None], c[None])[0]) for w, c in zip(wins, counts, strict=True)
    ]


@pytest.mark.parametrize(
    ("strengths", "votes"), [((0.6, 0.42, -0.78), 1500), ((1.0, 0.6, 0.3, 0.2, -0.5, -1.6), 3000)]
)
def test_seventy_percent_of_the_votes_tell_the_order_as_often(strengths, votes):
    crowd = Crowd(strengths=np.array(strengths), annotators=0, taste=0.0)
    known = {
        schedule: power(
            simulate(crowd, count, 100, np.random.default_rng(1), schedule=schedule), count, error=0.2
        )[1]
        for schedule, count in (("fixed", votes), ("adaptive", round(0.7 * votes)))
    }
    assert known["adaptive"] >= known["fixed"]
