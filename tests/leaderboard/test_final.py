from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ipvg_eval.leaderboard.challenge import FinalRule
from ipvg_eval.leaderboard.final import (
    FinalRanking,
    Judgement,
    opinion_judgements,
    rank_finally,
    study_judgements,
)
from ipvg_eval.leaderboard.metric import Metric
from ipvg_eval.leaderboard.opinions import Scale
from ipvg_eval.leaderboard.phase1 import Phase1, rank_teams
from ipvg_eval.leaderboard.rank_breakdown import rank_breakdown
from ipvg_eval.leaderboard.ratings import rate
from ipvg_eval.leaderboard.votes import read_votes

WriteVotes = Callable[..., Path]
MakeMetric = Callable[..., Metric]


def ranks_of(final: FinalRanking) -> dict[str, int]:
    return dict(zip(final.table["team"], final.table["rank"], strict=True))


def judged(**values: float) -> dict[str, Judgement]:
    return {team: Judgement(value=value, share=value / 10, text="") for team, value in values.items()}


@pytest.fixture
def six(make_metric: MakeMetric) -> Phase1:
    """Six teams in order, three finalists; d has no score on the second metric; e and f are equal."""
    values = pd.DataFrame({"m": [6.0, 5, 4, 3, 2, 2], "n": [6.0, 5, 4, np.nan, 2, 2]}, index=list("abcdef"))
    return rank_teams(values, (make_metric("m"), make_metric("n")), finalists=3)


def test_the_published_final_rank(
    published_values: pd.DataFrame,
    published_metrics: tuple[Metric, ...],
    published_lines: list[str],
    write_votes: WriteVotes,
) -> None:
    phase1 = rank_teams(published_values, published_metrics)
    ratings = rate(read_votes(write_votes(published_lines)))
    final = rank_finally(phase1, study_judgements(ratings, phase1.goes_on))
    assert final.stage == "final"
    assert ranks_of(final) == {"ghl": 1, "XuanYuan": 2, "Wislab": 3}
    assert final.table["judgement"].tolist() == [1258, 1147.5, 594.5]


def test_lexicographic(six: Phase1) -> None:
    final = rank_finally(six, judged(a=1, b=3, c=2))
    assert ranks_of(final) == {"b": 1, "c": 2, "a": 3, "e": 4, "f": 4, "d": 6}
    assert final.table["score"].isna().all()


def test_equal_judgements_are_decided_by_phase_1(six: Phase1) -> None:
    assert list(ranks_of(rank_finally(six, judged(a=2, b=2, c=3)))) == ["c", "a", "b", "e", "f", "d"]


def test_equal_in_both_shares_the_rank(make_metric: MakeMetric) -> None:
    values = pd.DataFrame({"m": [2.0, 2.0, 1.0]}, index=list("abc"))
    phase1 = rank_teams(values, (make_metric("m"),), finalists=2)
    assert ranks_of(rank_finally(phase1, judged(a=1, b=1))) == {"a": 1, "b": 1, "c": 3}


def test_a_finalist_without_judgement_is_last_of_the_finalists(six: Phase1) -> None:
    final = rank_finally(six, judged(b=1, c=2))
    assert ranks_of(final) == {"c": 1, "b": 2, "a": 3, "e": 4, "f": 4, "d": 6}
    assert "no judgement of a" in final.table.set_index("team").loc["a", "why"]


def test_without_any_judgement_phase_1_stands(six: Phase1) -> None:
    final = rank_finally(six, {})
    assert final.stage == "phase 1"
    assert ranks_of(final) == dict(zip(six.table["team"], six.table["rank"], strict=True))


def test_weighted_sum_by_hand(six: Phase1) -> None:
    """Objective values are 1, 0.75 and 0.5 by hand; judgement shares 0.1, 0.2 and 0.9."""
    rule = FinalRule(method="weighted_sum", objective_weight=0.4, subjective_weight=0.6)
    final = rank_finally(six, judged(a=1, b=2, c=9), rule)
    scores = dict(zip(final.table["team"], final.table["score"], strict=True))
    assert [scores[team] for team in "abc"] == pytest.approx([0.46, 0.42, 0.74])
    assert ranks_of(final) == {"c": 1, "a": 2, "b": 3, "e": 4, "f": 4, "d": 6}


def test_only_comparisons_between_finalists_count(write_votes: WriteVotes) -> None:
    lines = ["sample,team_a,team_b,winner", "s,A,B,a", "s,A,X,b", "s,B,X,a", "t,A,B,draw"]
    judgements = study_judgements(rate(read_votes(write_votes(lines))), ("A", "B", "C"))
    assert {team: (judgement.value, judgement.share) for team, judgement in judgements.items()} == {
        "A": (1.5, 0.75),
        "B": (0.5, 0.25),
    }


def test_opinions_lie_between_their_ends() -> None:
    given = {"A": 5.0, "B": 1.0, "C": 3.0, "D": float("nan")}
    judgements = opinion_judgements(given, ("A", "B", "C", "D"), Scale())
    assert {team: judgement.share for team, judgement in judgements.items()} == {"A": 1, "B": 0, "C": 0.5}
    from_zero = opinion_judgements(given, ("A", "B", "C"), Scale(0, 5))
    assert {team: judgement.share for team, judgement in from_zero.items()} == {"A": 1, "B": 0.2, "C": 0.6}


def test_the_worked_sum_of_the_published_table(
    published_values: pd.DataFrame, published_metrics: tuple[Metric, ...]
) -> None:
    phase1 = rank_teams(published_values, published_metrics, tie_rule="first_metric")
    worked = rank_breakdown(phase1, rank_finally(phase1, {}), "XuanYuan")
    assert worked.numbers == "1 × 2 (face_cur) + 1 × 2 (face_arc) + 1 × 3 (fid) + 1 × 2 (clip) = 9"
    assert worked.rank_sum == 9
    assert worked.terms["product"].tolist() == [2, 2, 3, 2]
    assert worked.terms["value"].tolist() == [0.467, 0.441, 214, 28.0]
    assert worked.tie_break == "Between equal rank sums the rank on face_cur decides."
    with pytest.raises(KeyError):
        rank_breakdown(phase1, rank_finally(phase1, {}), "nobody")


def test_the_worked_weighted_sum(six: Phase1) -> None:
    rule = FinalRule(method="weighted_sum", objective_weight=0.4, subjective_weight=0.6)
    final = rank_finally(six, judged(a=1, b=2, c=9), rule)
    assert rank_breakdown(six, final, "c").final_numbers == "0.4 × 0.5000 + 0.6 × 0.9000 = 0.7400: rank 1"
    assert "not a finalist" in rank_breakdown(six, final, "d").final_numbers
    assert rank_breakdown(six, final, "d").terms["value"].isna().tolist() == [False, True]
