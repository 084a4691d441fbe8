"""Intervals of maximal sum against an exhaustive search."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.metrics.timeline.alignment import temporal_grounding
from ipvg_eval.metrics.timeline.alignment.temporal_grounding import best_intervals


def every_choice(cells: int, count: int):
    borders = range(cells + 1)
    for runs in range(count + 1):
        for chosen in itertools.combinations(borders, 2 * runs):
            yield [(chosen[2 * r], chosen[2 * r + 1]) for r in range(runs)]


@settings(deadline=None, max_examples=80)
@given(st.lists(st.integers(-9, 9), min_size=1, max_size=8), st.integers(1, 3))
def test_no_choice_of_runs_gains_more(gains, count):
    found = [
        tuple(run) for run in best_intervals(np.array([gains], dtype=float), count)[0].tolist() if run[0] >= 0
    ]
    assert found == sorted(found)
    total = sum(sum(gains[a:b]) for a, b in found)
    best = max(sum(sum(gains[a:b]) for a, b in choice) for choice in every_choice(len(gains), count))
    assert total == best


@pytest.mark.parametrize(
    ("gains", "run"),
    [
        ([1, 1, -2, 1, 1], [0, 2]),
        ([0, 1, 0], [1, 2]),
        ([1 / 3] * 3 + [-1 / 3] * 3 + [1 / 3] * 3, [0, 3]),
        ([-1, -1], [-1, -1]),
        ([0, 0], [-1, -1]),
        ([1, -np.inf, 3], [2, 3]),
    ],
)
def test_of_equal_sums_the_shortest_and_earliest(gains, run):
    assert best_intervals(np.array([gains], dtype=float), 1)[0, 0].tolist() == run


def test_rows_do_not_influence_each_other():
    rows = np.random.default_rng(0).standard_normal((50, 30))
    together = best_intervals(rows, 2)
    alone = np.concatenate([best_intervals(row[None], 2) for row in rows])
    assert (together == alone).all()


@pytest.mark.parametrize("count", [64, 200])
def test_runs_may_be_many_and_more_than_there_is_room_for(count):
    """Every other cell gains: 64 runs of one cell are the best there is."""
    found = best_intervals(np.array([[1.0, -1.0] * 64]), count)[0]
    assert found[:64].tolist() == [[2 * r, 2 * r + 1] for r in range(64)]
    assert (found[64:] == -1).all()


def test_rows_searched_in_turns_are_found_alike(monkeypatch):
    rows = np.random.default_rng(1).standard_normal((20, 30))
    together = best_intervals(rows, 3)
    monkeypatch.setattr(temporal_grounding, "_MOST_STATES", 7 * 30 * 7)
    assert (best_intervals(rows, 3) == together).all()
