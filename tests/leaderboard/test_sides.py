"""The pull of a side: recovered where it is known, and said where it cannot be told."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from ipvg_eval.leaderboard.sides import side_effect
from ipvg_eval.leaderboard.votes import Votes, drop_outs, votes_from_table


def simulated(pull: float, *, first: float, votes: int = 3000, seed: int = 0) -> Votes:
    """Votes of 20 people on A and B, equally good; A stands first in this share of them."""
    rng = np.random.default_rng(seed)
    ahead = rng.random(votes) < first
    won = rng.random(votes) < expit(logit(pull))
    return votes_from_table(
        pd.DataFrame(
            {
                "sample": [f"id{n % 60:03d}/{n}" for n in range(votes)],
                "team_a": np.where(ahead, "A", "B"),
                "team_b": np.where(ahead, "B", "A"),
                "winner": np.where(won, "a", "b"),
                "annotator": [f"p{n % 20}" for n in range(votes)],
            }
        ),
        source="simulated",
    )


def by_identity(votes: Votes) -> dict[str, str]:
    return {sample: sample.partition("/")[0] for sample in votes.table["sample"]}


def test_a_pull_is_recovered_where_sides_are_mixed() -> None:
    votes = simulated(0.62, first=0.5)
    found = side_effect(votes, identities=by_identity(votes))
    assert found.share == pytest.approx(0.62, abs=5 * np.sqrt(0.62 * 0.38 / 3000))
    assert found.low is not None
    assert found.low < found.share
    assert found.one_sided == ()
    assert [line.partition(":")[0] for line in found.warnings] == ["People favour the first side"]


def test_a_pull_is_told_from_a_team_that_often_stands_first() -> None:
    votes = simulated(0.62, first=0.7)
    found = side_effect(votes, identities=by_identity(votes))
    assert found.share == pytest.approx(0.62, abs=6 * np.sqrt(0.62 * 0.38 / (3000 * 4 * 0.7 * 0.3)))


def test_no_pull_is_no_warning() -> None:
    votes = simulated(0.5, first=0.5, seed=1)
    assert side_effect(votes, identities=by_identity(votes)).warnings == ()


def test_one_team_always_first_is_said_and_estimates_nothing() -> None:
    found = side_effect(simulated(0.62, first=1.0))
    assert (found.share, found.low, found.high) == (None, None, None)
    assert found.one_sided == (("A", "B", 1.0, 3000),)
    assert found.warnings[0].startswith(
        "Sides are not mixed: A stood first in 100% of the 3000 votes against B"
    )


def test_the_second_side_can_pull_too() -> None:
    votes = simulated(0.3, first=0.5)
    found = side_effect(votes, identities=by_identity(votes))
    assert found.warnings[0].startswith(
        "People favour the second side: of two equal videos the one there wins"
    )


@pytest.mark.parametrize("winners", [["draw"] * 40, ["a"] * 40])
def test_one_answer_only_is_no_failure(winners: list[str]) -> None:
    rows = [(f"s{n}", *("AB" if n % 2 else "BA"), winner) for n, winner in enumerate(winners)]
    votes = votes_from_table(pd.DataFrame(rows, columns=["sample", "team_a", "team_b", "winner"]), source="t")
    found = side_effect(votes)
    assert found.share == pytest.approx(0.5 if winners[0] == "draw" else 1.0, abs=0.02)


def test_who_stopped_early_is_counted() -> None:
    rows = [(f"s{n}", "A", "B", "a", f"p{n % 5}") for n in range(100)] + [("t", "A", "B", "a", "late")]
    votes = votes_from_table(
        pd.DataFrame(rows, columns=["sample", "team_a", "team_b", "winner", "annotator"]), source="t"
    )
    (line,) = drop_outs(votes, "overall")
    assert line.startswith(
        "1 of 6 annotators gave fewer than half as many votes as the median one (20): 1 votes"
    )
