from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ipvg_eval.leaderboard.agreement import Level, krippendorff_alpha, vote_agreement
from ipvg_eval.leaderboard.votes import read_votes

WriteVotes = Callable[..., Path]
HEADER = "sample,team_a,team_b,winner,annotator"


def _coded(ratings: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """(units, values) of an (annotators, units) table in which -1 is no judgement."""
    annotators, units = np.nonzero(ratings >= 0)
    return units.astype(np.int64), ratings[annotators, units]


@settings(deadline=None, max_examples=80)
@given(
    ratings=arrays(np.int64, st.tuples(st.integers(2, 5), st.integers(2, 12)), elements=st.integers(-1, 4)),
    level=st.sampled_from(["nominal", "ordinal"]),
)
def test_alpha_agrees_with_the_package(ratings: np.ndarray[Any, Any], level: Level) -> None:
    units, values = _coded(ratings)
    agreement = krippendorff_alpha(units, values, categories=5, level=level)
    counts = (ratings >= 0).sum(axis=0)
    assert agreement.units == int((counts > 1).sum())
    pairable = ratings[:, counts > 1]
    if len(np.unique(pairable[pairable >= 0])) < 2:
        assert agreement.alpha is None
        assert agreement.reason
        return
    table = np.where(ratings < 0, np.nan, ratings.astype(float))
    expected = krippendorff.alpha(
        reliability_data=table, value_domain=np.arange(5), level_of_measurement=level
    )
    assert agreement.alpha == pytest.approx(expected, abs=1e-9)


def test_alpha_of_krippendorffs_example() -> None:
    """Data and result of Krippendorff's 2011 paper, section C: nominal alpha .743, ordinal .815."""
    table = np.array(
        [
            [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
            [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
            [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
        ]
    )
    units, values = _coded(table - 1)
    assert krippendorff_alpha(units, values, categories=5, level="nominal").alpha == pytest.approx(
        0.743, abs=5e-4
    )
    assert krippendorff_alpha(units, values, categories=5, level="ordinal").alpha == pytest.approx(
        0.815, abs=5e-4
    )


def test_swapped_sides_are_the_same_answer(write_votes: WriteVotes) -> None:
    lines = [HEADER, "s,A,B,a,x", "s,B,A,b,y", "t,A,B,b,x", "t,B,A,a,y", "u,A,B,draw,x", "u,B,A,draw,y"]
    agreement = vote_agreement(read_votes(write_votes(lines)))
    assert (agreement.alpha, agreement.units, agreement.judgements) == (1.0, 3, 6)


def test_pairs_and_samples_are_told_apart(write_votes: WriteVotes) -> None:
    lines = [HEADER, "s,A,B,a,x", "s,A,C,b,y", "t,A,B,b,y"]
    agreement = vote_agreement(read_votes(write_votes(lines)))
    assert (agreement.alpha, agreement.units) == (None, 0)
    assert agreement.reason == "nothing was judged twice"


def test_the_interval_holds_alpha_and_narrows_with_data() -> None:
    rng = np.random.default_rng(4)
    widths = []
    for size in (30, 300):
        truth = rng.integers(0, 3, size)
        noisy = np.where(rng.random(size) < 0.25, rng.integers(0, 3, size), truth)
        units = np.tile(np.arange(size), 2)
        names = [f"id{unit // 3}" for unit in units]
        agreement = krippendorff_alpha(
            units,
            np.concatenate([truth, noisy]),
            categories=3,
            level="nominal",
            clusters=names,
        )
        assert agreement.alpha is not None
        assert agreement.low is not None
        assert agreement.high is not None
        assert agreement.low < agreement.alpha < agreement.high
        widths.append(agreement.high - agreement.low)
    assert widths[1] < widths[0]
