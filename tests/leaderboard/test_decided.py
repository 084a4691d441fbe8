"""Is the ranking decided? Teams far apart, equal ones, and one of which it is known what it would take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtri

from ipvg_eval.leaderboard import build_leaderboard, parse_challenge, read_runs, read_votes
from ipvg_eval.leaderboard.board import TrackBoard

MakeRun = Callable[..., Path]


def board(make_run: MakeRun, gap: float, identities: int = 40, **more: object) -> TrackBoard:
    """A is better than B by `gap` standard deviations of the identities' differences, C far behind."""
    rng = np.random.default_rng(1)
    noise = rng.standard_normal(identities)
    noise = (noise - noise.mean()) / noise.std(ddof=1)
    better = np.repeat(gap + noise, 5)
    values = {"A": better, "B": 0 * better, "C": 0 * better - 50}
    runs = read_runs([make_run(team, {"m": column.tolist()}) for team, column in values.items()])
    rules = parse_challenge("finalists: 1\nbootstrap: {resamples: 4000}")
    return build_leaderboard(runs, rules, **more).track("facial")


def test_teams_far_apart_are_decided(make_run: MakeRun) -> None:
    found = board(make_run, gap=3.0).decided
    assert (found.stage, found.settled, found.factor, found.leader) == ("phase 1", True, 1.0, "A")
    assert found.table["first"].tolist() == [1.0, 0.0, 0.0]
    assert found.finalists == 1.0
    assert found.words[-1] == "That is decided: 95 % or more."


def test_a_close_race_has_the_probability_of_a_normal_difference(make_run: MakeRun) -> None:
    """One standard error ahead: P = Phi(1 / stretch); (1.645 x stretch)^2 = 2.9 times the identities do."""
    found = board(make_run, gap=1 / np.sqrt(40)).decided
    chance = found.table.set_index("team")["first"]
    assert chance["A"] == pytest.approx(0.835, abs=0.03)
    assert chance["A"] + chance["B"] == pytest.approx(1.0)
    assert not found.settled
    assert (ndtri(0.95) ** 2, found.factor) == (pytest.approx(2.706, abs=1e-3), 3.0)
    assert found.words[-1].startswith("Not decided: about 120 identities instead of 40 would settle it")
    assert found.finalists == pytest.approx(chance["A"])


def test_equal_teams_are_not_to_be_settled(make_run: MakeRun) -> None:
    found = board(make_run, gap=0.0).decided
    assert (found.settled, found.factor) == (False, None)
    assert "would not settle it" in found.words[-1]


def test_few_identities_say_so(make_run: MakeRun) -> None:
    found = board(make_run, gap=1.0, identities=4).decided
    assert found.words == ("4 identities are too few to say how sure the ranking is.",)
    assert found.table["first"].isna().all()


def test_votes_decide_where_they_are_in(make_run: MakeRun, tmp_path: Path) -> None:
    """52 of 100 identities won by A, one vote each: 0.4 standard errors of a difference of shares."""
    lines = ["sample,team_a,team_b,winner"]
    for n in range(100):
        sides, winner = ("A,B" if n % 2 else "B,A"), ("a" if (n < 52) == bool(n % 2) else "b")
        lines.append(f"id{n + 1:03d}/prompt1,{sides},{winner}")
    path = tmp_path / "votes.csv"
    path.write_text("\n".join(lines), "utf-8")
    runs = read_runs([make_run(team, {"m": [0.5] * 500}) for team in "AB"])
    track = build_leaderboard(runs, parse_challenge("finalists: 2"), votes=read_votes(path)).track("facial")
    found = track.decided
    assert (found.stage, found.leader) == ("final", "A")
    chance = found.table.set_index("team")["first"]
    # Phi(0.02 / sqrt(0.52 x 0.48 / 99)) = Phi(0.398)
    assert chance["A"] == pytest.approx(0.655, abs=5 * np.sqrt(0.655 * 0.345 / 1000))
    assert found.factor is not None
    assert found.factor == pytest.approx((ndtri(0.95) / ndtri(chance["A"])) ** 2, abs=0.11)
    assert f"votes instead of {len(lines) - 1}" in found.words[-1]
