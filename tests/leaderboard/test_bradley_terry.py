from __future__ import annotations

import math

import choix
import evalica
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ipvg_eval.core.resampling import FloatArray
from ipvg_eval.leaderboard.bradley_terry import (
    ELO_SCALE,
    fit_bradley_terry,
    fit_strengths,
    strongly_connected,
)


def _half_wins(teams: int) -> st.SearchStrategy[FloatArray]:
    """Matrices of points: whole wins, and draws as half a win for each side."""
    counts = arrays(np.int64, (teams, teams), elements=st.integers(0, 6))
    draws = arrays(np.int64, (teams, teams), elements=st.integers(0, 3))
    return st.tuples(counts, draws).map(_matrix)


def _matrix(parts: tuple[FloatArray, FloatArray]) -> FloatArray:
    won, drawn = parts
    matrix = won + (np.triu(drawn) + np.triu(drawn).T) / 2
    np.fill_diagonal(matrix, 0)
    return matrix


def _round(wins: FloatArray) -> FloatArray:
    """Everyone beats the next team, and the last one the first: strongly connected."""
    return wins + np.roll(np.eye(len(wins)), 1, axis=1)


def _sweep(wins: FloatArray) -> FloatArray:
    """The first team never loses, and has played."""
    swept = wins.copy()
    swept[:, 0] = 0
    swept[0, 1] += 1
    return swept


WINS = st.integers(2, 6).flatmap(_half_wins)
CONNECTED = WINS.map(_round)
SWEPT = WINS.map(_sweep)


def _doubled(wins: FloatArray) -> list[tuple[int, int]]:
    """Every half win as one game, for libraries that know no draws."""
    teams = range(len(wins))
    return [(i, j) for i in teams for j in teams for _ in range(round(2 * wins[i, j]))]


def _names(wins: FloatArray) -> list[str]:
    return [f"t{index}" for index in range(len(wins))]


@settings(deadline=None, max_examples=60)
@given(wins=CONNECTED)
def test_connected_data_agree_with_choix(wins: FloatArray) -> None:
    fit = fit_bradley_terry(wins, _names(wins))
    expected = choix.ilsr_pairwise(len(wins), _doubled(wins), max_iter=10_000, tol=1e-12)
    np.testing.assert_allclose(fit.strengths, expected - expected.mean(), atol=1e-6)
    assert (fit.method, fit.ridge, fit.not_estimable) == ("maximum likelihood", None, ())


@settings(deadline=None, max_examples=40)
@given(wins=SWEPT, ridge=st.sampled_from([0.01, 0.1, 1.0]))
def test_the_ridge_agrees_with_choix(wins: FloatArray, ridge: float) -> None:
    """Half wins count double there, and so does the penalty: alpha x sum of squares against ridge / 2 x."""
    strengths = fit_strengths(wins[None], ridge=ridge)[0]
    expected = choix.opt_pairwise(len(wins), _doubled(wins), alpha=ridge, method="Newton-CG", tol=1e-12)
    np.testing.assert_allclose(strengths, expected, atol=1e-6)
    assert abs(strengths.mean()) < 1e-9


@settings(deadline=None, max_examples=40)
@given(wins=CONNECTED)
def test_connected_data_agree_with_evalica(wins: FloatArray) -> None:
    pairs = [(i, j) for i in range(len(wins)) for j in range(len(wins)) if wins[i, j]]
    result = evalica.bradley_terry(
        [f"t{i}" for i, _ in pairs],
        [f"t{j}" for _, j in pairs],
        [evalica.Winner.X] * len(pairs),
        weights=[wins[pair] for pair in pairs],
        tolerance=1e-13,
        limit=200_000,
    )
    expected = np.log(result.scores.loc[_names(wins)].to_numpy())
    fit = fit_bradley_terry(wins, _names(wins))
    np.testing.assert_allclose(fit.strengths, expected - expected.mean(), atol=1e-6)


@pytest.mark.parametrize(("won", "lost"), [(3, 1), (700, 300), (1, 1), (9999, 1)])
def test_two_teams_have_a_closed_form(won: int, lost: int) -> None:
    fit = fit_bradley_terry(np.array([[0.0, won], [lost, 0.0]]), ["a", "b"], anchor=1500)
    assert fit.strengths[0] - fit.strengths[1] == pytest.approx(math.log(won / lost), abs=1e-9)
    assert fit.ratings[0] - fit.ratings[1] == pytest.approx(400 * math.log10(won / lost), abs=1e-6)
    assert fit.ratings.mean() == pytest.approx(1500)


def test_a_cycle_is_a_tie() -> None:
    wins = np.array([[0.0, 5, 0], [0, 0, 5], [5, 0, 0]])
    np.testing.assert_allclose(fit_bradley_terry(wins, list("abc")).ratings, 1000, atol=1e-8)


@settings(deadline=None, max_examples=40)
@given(wins=st.one_of(CONNECTED, SWEPT, WINS), data=st.data())
def test_order_and_names_of_teams_do_not_matter(wins: FloatArray, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(wins))))
    plain = fit_bradley_terry(wins, _names(wins))
    other = fit_bradley_terry(wins[np.ix_(order, order)], [f"t{index}" for index in order])
    np.testing.assert_allclose(other.strengths, plain.strengths[order], atol=1e-8)
    assert set(other.not_estimable) == set(plain.not_estimable)
    assert {frozenset(group) for group in other.components} == {
        frozenset(group) for group in plain.components
    }


@settings(deadline=None, max_examples=40)
@given(wins=WINS)
def test_swapping_wins_and_losses_mirrors_the_strengths(wins: FloatArray) -> None:
    plain = fit_strengths(np.stack([wins, wins.T]), ridge=0.01)
    np.testing.assert_allclose(plain[0], -plain[1], atol=1e-8)


@settings(deadline=None, max_examples=40)
@given(wins=st.one_of(CONNECTED, SWEPT, WINS))
def test_the_gradient_vanishes(wins: FloatArray) -> None:
    """At the maximum every team's expected points are its points, up to the pull of the prior."""
    strengths = fit_strengths(wins[None], ridge=0.05)[0]
    penalty = 0.0 if strongly_connected(wins[None])[0] else 0.05
    chance = 1 / (1 + np.exp(strengths[None, :] - strengths[:, None]))
    expected = ((wins + wins.T) * chance).sum(axis=1)
    np.testing.assert_allclose(wins.sum(axis=1) - expected, penalty * strengths, atol=1e-7)


def test_a_sweep_is_finite_ordered_and_said_to_be_open() -> None:
    wins = np.array([[0.0, 10, 10], [0, 0, 6], [0, 4, 0]])
    fit = fit_bradley_terry(wins, list("abc"), ridge=0.01)
    assert (fit.method, fit.ridge) == ("ridge", 0.01)
    assert np.isfinite(fit.ratings).all()
    assert fit.ratings[0] > fit.ratings[1] > fit.ratings[2]
    assert fit.components == (("b", "c"), ("a",))
    assert fit.not_estimable == ("a",)


def test_a_chain_of_sweeps_leaves_everyone_open() -> None:
    wins = np.array([[0.0, 10, 10], [0, 0, 10], [0, 0, 0]])
    fit = fit_bradley_terry(wins, list("abc"))
    assert fit.not_estimable == ("a", "b", "c")
    assert fit.ratings[0] > fit.ratings[1] > fit.ratings[2]


def test_islands_are_said_to_be_open() -> None:
    wins = np.zeros((4, 4))
    wins[0, 1] = wins[1, 0] = wins[2, 3] = 3
    wins[3, 2] = 1
    fit = fit_bradley_terry(wins, list("abcd"))
    assert fit.method == "ridge"
    assert fit.components == (("a", "b"), ("c", "d"))
    assert fit.not_estimable == ("a", "b", "c", "d")
    assert fit.strengths[:2] == pytest.approx([0, 0], abs=1e-9)


def test_a_team_without_votes_has_no_rating() -> None:
    wins = np.array([[0.0, 3, 0], [1, 0, 0], [0, 0, 0]])
    fit = fit_bradley_terry(wins, list("abc"))
    assert np.isnan(fit.ratings).tolist() == [False, False, True]
    assert fit.not_estimable == ("c",)


def test_one_vote_and_one_team() -> None:
    fit = fit_bradley_terry(np.array([[0.0, 1], [0, 0]]), list("ab"))
    assert fit.method == "ridge"
    assert fit.ratings[0] > 1000 > fit.ratings[1]
    assert fit.not_estimable == ("a", "b")
    assert np.isnan(fit_bradley_terry(np.zeros((1, 1)), ["a"]).ratings).all()


def test_many_matrices_at_once_are_each_fitted_alone() -> None:
    rng = np.random.default_rng(5)
    stack = rng.integers(0, 4, size=(50, 4, 4)).astype(float)
    together = fit_strengths(stack, ridge=0.02)
    for wins, strengths in zip(stack, together, strict=True):
        np.testing.assert_allclose(fit_strengths(wins[None], ridge=0.02)[0], strengths, atol=1e-9)


# The second makes a whole Newton step overshoot.
_EXTREME = [
    [[0, 1e6, 1], [1, 0, 1e6], [1, 1, 0]],
    [
        [0, 0, 1, 494470.5, 491078.5, 0],
        [0, 0, 0.5, 0, 8, 9.5],
        [0, 22757.5, 0, 47872.5, 0, 10],
        [0, 0, 5, 0, 0, 0],
        [0, 8, 65, 0.5, 0, 0],
        [120.5, 0, 21.5, 0, 0, 0],
    ],
    [[0, 1e6], [0, 0]],
]


@pytest.mark.parametrize("matrix", _EXTREME)
@pytest.mark.parametrize("ridge", [1e-6, 0.01])
def test_extreme_data_converge(matrix: list[list[float]], ridge: float) -> None:
    wins = np.array(matrix, dtype=float)
    strengths = fit_strengths(wins[None], ridge=ridge)[0]
    penalty = 0.0 if strongly_connected(wins[None])[0] else ridge
    chance = 1 / (1 + np.exp(strengths[None, :] - strengths[:, None]))
    expected = ((wins + wins.T) * chance).sum(axis=1) + penalty * strengths
    np.testing.assert_allclose(wins.sum(axis=1), expected, atol=1e-8)


def test_a_fit_that_does_not_settle_is_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ipvg_eval.leaderboard.bradley_terry._ITERATIONS", 2)
    with pytest.raises(RuntimeError, match="did not settle in 2 steps"):
        fit_strengths(np.array([[[0.0, 999], [1, 0]]]), ridge=0.01)


def test_the_scale_is_elos() -> None:
    assert pytest.approx(173.7177928, abs=1e-6) == ELO_SCALE
