"""Metrics against votes: recovered where the truth is known, chance where there is none."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from ipvg_eval.leaderboard import RunsError, VotesError, read_opinions, read_runs, votes_from_table
from ipvg_eval.leaderboard.metric_agreement import metric_agreement
from ipvg_eval.leaderboard.opinion_votes import votes_from_opinions

MakeRun = Callable[..., Path]
TEAMS = ("A", "B", "C")
COLUMNS = ["sample", "team_a", "team_b", "winner", "annotator", "question"]


def sample_name(place: int) -> str:
    return f"id{place // 5 + 1:03d}/prompt{place % 5 + 1}"


def simulated(
    make_run: MakeRun, *, metrics: int, identities: int, each: int = 1, drive: float = 1.0, seed: int = 0
):
    """Runs with random metrics, of which `m0` alone drives the votes; every pair gets `each` votes."""
    rng = np.random.default_rng(seed)
    size = identities * 5
    values = {team: rng.standard_normal((metrics, size)) for team in TEAMS}
    runs = read_runs(
        [make_run(team, {f"m{m}": list(values[team][m]) for m in range(metrics)}) for team in TEAMS]
    )
    rows = []
    for place, (one, other) in itertools.product(range(size), itertools.combinations(TEAMS, 2)):
        chance = expit(drive * (values[one][0][place] - values[other][0][place]))
        for voter in range(each):
            winner = "a" if rng.random() < chance else "b"
            who = f"p{(place + 7 * voter) % 12}"
            rows.append((sample_name(place), one, other, winner, who, "overall"))
    return runs, rows


def as_votes(rows):
    return votes_from_table(pd.DataFrame(rows, columns=COLUMNS), source="simulated")


def test_the_metric_that_drives_the_votes_is_found(make_run: MakeRun) -> None:
    runs, rows = simulated(make_run, metrics=4, identities=40, each=2)
    (found,) = metric_agreement(runs, as_votes(rows))
    assert found.metrics[0].name == "m0"
    # E[max(p, 1 - p)] for p = expit(gap) and a gap of sd sqrt 2, by quadrature.
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    chances = expit(np.sqrt(2) * np.abs(nodes))
    expected = float((chances * weights).sum() / weights.sum())
    best = found.metrics[0].agreement
    assert best.value == pytest.approx(expected, abs=0.03)
    assert best.low is not None
    assert best.low > 0.55
    for other in found.metrics[1:]:
        assert other.agreement.low is not None
        assert other.agreement.low < 0.5 < other.agreement.high or abs(other.agreement.value - 0.5) < 0.05
    # Two people agree where both or neither follow the chance: E[p^2 + (1 - p)^2].
    ceiling = float(((chances**2 + (1 - chances) ** 2) * weights).sum() / weights.sum())
    assert found.ceiling.value == pytest.approx(ceiling, abs=0.05)
    assert found.ceiling_pairs == 40 * 5 * 3
    assert found.fitted.value == pytest.approx(best.value, abs=0.03)
    # The logistic weight of the driving metric is 1 per unit by construction, shrunk a little by the ridge.
    assert found.weights["m0"] == pytest.approx(1.0, abs=0.2)
    assert max(found.importance, key=found.importance.__getitem__) == "m0"


def test_twenty_metrics_and_a_hundred_votes_do_not_overfit(make_run: MakeRun) -> None:
    """Votes of pure chance: what is fitted to them is worth a coin's toss on other identities."""
    runs, rows = simulated(make_run, metrics=20, identities=8, drive=0.0, seed=3)
    (found,) = metric_agreement(runs, as_votes(rows[:100]))
    assert found.votes == 100
    assert found.fitted.value == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(100))
    assert found.fitted.low is not None
    assert found.fitted.low < 0.5


def test_agreement_by_hand(make_run: MakeRun) -> None:
    """One sample of ten each way: a vote with the metric, one against it, a draw, equal values, none."""
    better, worse = [1.0] * 100, [0.0] * 100
    equal, gone = list(better), list(better)
    equal[:50], gone[:50] = worse[:50], [None] * 50
    runs = read_runs(
        [
            make_run("A", dict(zip(_WAYS, (better, worse, equal, gone, worse), strict=True)), higher=_WAYS),
            make_run("B", dict(zip(_WAYS, (worse, better, worse, worse, worse), strict=True)), higher=_WAYS),
        ]
    )
    winners = ["a"] * 60 + ["b"] * 30 + ["draw"] * 10
    rows = [(sample_name(n), "A", "B", w, f"p{n % 6}", "overall") for n, w in enumerate(winners)]
    (found,) = metric_agreement(runs, as_votes(rows))
    by_name = {one.name: one for one in found.metrics}
    assert by_name["m"].agreement.value == pytest.approx(0.65)
    assert by_name["down"].agreement.value == pytest.approx(0.65), "lower is better"
    # equal: half for the first fifty, then 10 of 20 won, 30 lost, 10 draws.
    assert by_name["equal"].agreement.value == pytest.approx((25 + 10 + 5) / 100)
    assert by_name["gone"].agreement.value == pytest.approx((10 + 5) / 50)
    assert (by_name["gone"].votes, by_name["gone"].without) == (50, 50)
    assert by_name["gone"].note == "missing for 50% of the votes"
    assert by_name["flat"].agreement.value == 0.5
    assert by_name["flat"].note == "the same for both videos of every pair"
    assert (by_name["flat"].tau, by_name["m"].tau) == (None, pytest.approx(1.0))
    assert (found.ceiling.value, found.ceiling_pairs) == (None, 0)


_WAYS = {"m": True, "down": False, "equal": True, "gone": True, "flat": True}


def test_questions_are_apart_and_few_votes_are_refused(make_run: MakeRun) -> None:
    runs, rows = simulated(make_run, metrics=2, identities=8)
    other = [(*row[:5], "text") for row in rows[:30]]
    found = metric_agreement(runs, as_votes([*rows, *other]))
    assert [one.question for one in found] == ["overall"]
    with pytest.raises(VotesError, match="30 votes are too few") as caught:
        metric_agreement(runs, as_votes(other))
    assert "50 votes or more" in str(caught.value.hint)


def test_one_annotator_and_few_identities_are_said(make_run: MakeRun) -> None:
    runs, rows = simulated(make_run, metrics=2, identities=4)
    (found,) = metric_agreement(runs, as_votes([(*row[:4], "p", row[5]) for row in rows]))
    assert [line.partition(":")[0] for line in found.cautions] == [
        "4 identities",
        "One annotator, or unnamed ones",
    ]
    assert found.metrics[0].agreement.low is None
    assert (found.fitted.value, found.weights) == (None, {})


def test_votes_on_what_the_runs_lack_are_refused(make_run: MakeRun) -> None:
    runs, rows = simulated(make_run, metrics=1, identities=8)
    with pytest.raises(VotesError, match="unknown sample 'id999/prompt1'"):
        metric_agreement(runs, as_votes([*rows, ("id999/prompt1", "A", "B", "a", "p", "overall")]))
    with pytest.raises(VotesError, match="unknown team 'D'"):
        metric_agreement(runs, as_votes([*rows, (sample_name(0), "A", "D", "a", "p", "overall")]))
    again = read_runs([make_run("A", {"m0": [0.0] * 40}, folder="again")])
    with pytest.raises(RunsError, match="two runs of team 'A'"):
        metric_agreement([*runs, *again], as_votes(rows))


def test_all_draws_are_half_agreement(make_run: MakeRun) -> None:
    runs, rows = simulated(make_run, metrics=2, identities=8)
    (found,) = metric_agreement(runs, as_votes([(*row[:3], "draw", *row[4:]) for row in rows]))
    assert {one.agreement.value for one in found.metrics} == {0.5}


def test_opinion_scores_are_votes_of_those_who_gave_them(tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    lines = ["team,sample,annotator,quality", "A,s,x,5", "B,s,x,3", "C,s,x,3", "A,s,y,1", "B,t,y,2"]
    path.write_text("\n".join(lines), "utf-8")
    table = votes_from_opinions(read_opinions(path)).table
    assert table[["team_a", "team_b", "winner", "annotator", "question"]].to_numpy().tolist() == [
        ["A", "B", "a", "x", "quality"],
        ["A", "C", "a", "x", "quality"],
        ["B", "C", "draw", "x", "quality"],
    ]
    path.write_text("team,sample,annotator,quality\nA,s,x,5\nB,s,y,3\n", "utf-8")
    with pytest.raises(VotesError, match="no annotator scored two teams' videos"):
        votes_from_opinions(read_opinions(path))
