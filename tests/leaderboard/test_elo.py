from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import evalica
import numpy as np
import pandas as pd
import pytest

from ipvg_eval.leaderboard.challenge import EloRule
from ipvg_eval.leaderboard.comparisons import Comparisons
from ipvg_eval.leaderboard.elo import elo_ratings, rate_elo
from ipvg_eval.leaderboard.votes import Votes, read_votes, votes_from_table

WriteVotes = Callable[..., Path]
_WINNERS = {"a": evalica.Winner.X, "b": evalica.Winner.Y, "draw": evalica.Winner.Draw}


@pytest.fixture(scope="module")
def votes() -> Votes:
    rng = np.random.default_rng(2)
    rows = []
    for number in range(400):
        a, b = rng.choice(["A", "B", "C", "D"], size=2, replace=False)
        rows.append((f"s{number}", a, b, rng.choice(["a", "b", "draw"], p=[0.5, 0.3, 0.2])))
    return votes_from_table(
        pd.DataFrame(rows, columns=["sample", "team_a", "team_b", "winner"]), source="test"
    )


@pytest.mark.parametrize(("k", "initial"), [(4.0, 1000.0), (32.0, 1500.0)])
def test_sequential_ratings_agree_with_evalica(votes: Votes, k: float, initial: float) -> None:
    ours = rate_elo(Comparisons.of(votes), EloRule(k=k, initial=initial, permutations=1))
    table = votes.table
    expected = evalica.elo(
        table["team_a"],
        table["team_b"],
        [_WINNERS[winner] for winner in table["winner"]],
        k=k,
        initial=initial,
    ).scores
    np.testing.assert_allclose(ours.sequential, expected.loc[list(ours.teams)], atol=1e-9)


def test_every_order_agrees_with_evalica(votes: Votes) -> None:
    comparisons = Comparisons.of(votes)
    orders = np.stack([np.random.default_rng(seed).permutation(400) for seed in range(5)])
    for order, ratings in zip(orders, elo_ratings(comparisons, orders, EloRule()), strict=True):
        table = votes.table.iloc[order]
        winners = [_WINNERS[winner] for winner in table["winner"]]
        expected = evalica.elo(table["team_a"], table["team_b"], winners).scores
        np.testing.assert_allclose(ratings, expected.loc[list(comparisons.teams)], atol=1e-9)


def test_one_game_by_hand(write_votes: WriteVotes) -> None:
    """Equal ratings: the winner is expected to score one half and gains K / 2."""
    votes = read_votes(write_votes(["sample,team_a,team_b,winner", "s,A,B,b"]))
    elo = rate_elo(Comparisons.of(votes), EloRule(k=10))
    assert elo.median.tolist() == [995, 1005]
    assert elo.first_share.tolist() == [0, 1]
    assert elo.smallest.tolist() == elo.largest.tolist() == elo.sequential.tolist()


def test_a_shared_comparison_is_one_game(write_votes: WriteVotes) -> None:
    """Two annotators for A, one for B: A scores 2/3 of one game."""
    lines = ["sample,team_a,team_b,winner,annotator", "s,A,B,a,x", "s,A,B,a,y", "s,B,A,a,z"]
    elo = rate_elo(Comparisons.of(read_votes(write_votes(lines))), EloRule(k=6))
    assert elo.median.tolist() == pytest.approx([1001, 999])


def test_the_median_does_not_depend_on_the_order_of_the_file(votes: Votes) -> None:
    turned = votes_from_table(votes.table.iloc[::-1].reset_index(drop=True), source="turned")
    one, two = rate_elo(Comparisons.of(votes)), rate_elo(Comparisons.of(turned))
    spread = (one.high - one.low).max()
    assert np.abs(one.median - two.median).max() < spread / 4
    assert np.abs(one.sequential - two.sequential).max() > 1e-6


def test_ratings_stay_around_the_initial_one(votes: Votes) -> None:
    elo = rate_elo(Comparisons.of(votes), EloRule(initial=1500))
    assert elo.sequential.mean() == pytest.approx(1500)
    assert (elo.smallest <= elo.low).all()
    assert (elo.low <= elo.median).all()
    assert (elo.median <= elo.high).all()
    assert (elo.high <= elo.largest).all()
    assert elo.first_share.sum() == pytest.approx(1)


def test_equal_seeds_give_equal_ratings(votes: Votes) -> None:
    comparisons = Comparisons.of(votes)
    one, two = rate_elo(comparisons, EloRule(seed=5)), rate_elo(comparisons, EloRule(seed=5))
    assert (one.median == two.median).all()
    assert (one.median != rate_elo(comparisons, EloRule(seed=6)).median).any()


def test_a_team_without_votes_is_never_first(write_votes: WriteVotes) -> None:
    votes = read_votes(write_votes(["sample,team_a,team_b,winner", "s,A,B,draw"]))
    elo = rate_elo(Comparisons.of(votes, teams=["C"]))
    assert dict(zip(elo.teams, elo.first_share, strict=True)) == {"A": 0.5, "B": 0.5, "C": 0}
