"""Ranks and win groups against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components
from scipy.stats import rankdata

from ipvg_eval.leaderboard.bradley_terry import _components, strongly_connected
from ipvg_eval.leaderboard.ranks import metric_ranks


@pytest.mark.parametrize(("ranking", "method"), [("competition", "min"), ("average", "average")])
def test_ranks_are_those_of_scipy(ranking, method):
    values = np.random.default_rng(0).integers(0, 5, (7, 3, 12)).astype(float)
    expected = rankdata(-values, method=method, axis=-1)
    assert np.array_equal(metric_ranks(values, higher_is_better=True, ranking=ranking), expected)


@pytest.mark.parametrize("density", [0.05, 0.1, 0.2, 0.4])
def test_groups_that_beat_one_another_are_those_of_scipy(density):
    rng = np.random.default_rng(1)
    for teams in (1, 2, 3, 9, 17):
        wins = (rng.random((teams, teams)) < density).astype(float)
        np.fill_diagonal(wins, 0)
        count, expected = connected_components(wins > 0, directed=True, connection="strong")
        found = _components(wins)
        assert np.array_equal(found[:, None] == found, expected[:, None] == expected)
        assert strongly_connected(wins[None])[0] == (count == 1)
