from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.leaderboard.challenge import Ranking, TieRule
from ipvg_eval.leaderboard.metric import Metric
from ipvg_eval.leaderboard.phase1 import Phase1, rank_teams
from ipvg_eval.leaderboard.ranks import normalised

MakeMetric = Callable[..., Metric]


def ranks_of(phase1: Phase1) -> dict[str, int]:
    return dict(zip(phase1.table["team"], phase1.table["rank"], strict=True))


def _column(phase1: Phase1, name: str) -> dict[str, object]:
    return dict(zip(phase1.table["team"], phase1.table[name], strict=True))


def test_the_published_rank_sums(
    published_values: pd.DataFrame, published_metrics: tuple[Metric, ...]
) -> None:
    phase1 = rank_teams(published_values, published_metrics)
    assert _column(phase1, "rank_sum") == {"ghl": 6, "XuanYuan": 9, "Wislab": 9}
    # By hand from the printed table, FID downwards.
    assert phase1.ranks.loc["ghl"].tolist() == [1, 1, 1, 3]
    assert phase1.ranks.loc["XuanYuan"].tolist() == [2, 2, 3, 2]
    assert phase1.ranks.loc["Wislab"].tolist() == [3, 3, 2, 1]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("shared", {"ghl": 1, "XuanYuan": 2, "Wislab": 2}),
        ("first_metric", {"ghl": 1, "XuanYuan": 2, "Wislab": 3}),
        ("mean_normalised", {"ghl": 1, "XuanYuan": 2, "Wislab": 3}),
    ],
)
def test_the_published_tie_at_second_place(
    published_values: pd.DataFrame,
    published_metrics: tuple[Metric, ...],
    rule: TieRule,
    expected: Mapping[str, int],
) -> None:
    assert ranks_of(rank_teams(published_values, published_metrics, tie_rule=rule)) == expected


def test_the_mean_normalised_value_by_hand(
    published_values: pd.DataFrame, published_metrics: tuple[Metric, ...]
) -> None:
    phase1 = rank_teams(published_values, published_metrics, tie_rule="mean_normalised")
    xuanyuan = (0.182 / 0.207 + 0.172 / 0.204 + 0 + 0.2 / 0.8) / 4
    wislab = (0 + 0 + 6 / 44 + 1) / 4
    assert _column(phase1, "objective") == pytest.approx(
        {"ghl": 0.75, "XuanYuan": xuanyuan, "Wislab": wislab}
    )
    assert _column(phase1, "tie_break") == pytest.approx(_column(phase1, "objective"))


def test_first_metric_can_turn_a_tie_the_other_way(
    published_values: pd.DataFrame, published_metrics: tuple[Metric, ...]
) -> None:
    phase1 = rank_teams(published_values, tuple(reversed(published_metrics)), tie_rule="first_metric")
    assert ranks_of(phase1) == {"ghl": 1, "Wislab": 2, "XuanYuan": 3}


@pytest.mark.parametrize(
    ("ranking", "expected"), [("competition", [1, 2, 2, 4]), ("average", [1, 2.5, 2.5, 4])]
)
def test_equal_values(make_metric: MakeMetric, ranking: Ranking, expected: list[float]) -> None:
    values = pd.DataFrame({"m": [4.0, 3.0, 3.0, 1.0]}, index=list("abcd"))
    phase1 = rank_teams(values, (make_metric("m"),), ranking=ranking)
    assert phase1.ranks["m"].loc[list("abcd")].tolist() == expected


def test_weights(make_metric: MakeMetric) -> None:
    values = pd.DataFrame({"m": [2.0, 1.0], "n": [1.0, 2.0]}, index=["a", "b"])
    assert ranks_of(rank_teams(values, (make_metric("m"), make_metric("n", weight=1.5)))) == {"b": 1, "a": 2}
    # 0.1 + 0.2 against 0.3: equal sums must not be told apart by rounding.
    values = pd.DataFrame({"m": [2.0, 1.0], "n": [2.0, 1.0], "o": [1.0, 2.0]}, index=["a", "b"])
    metrics = (make_metric("m", weight=0.1), make_metric("n", weight=0.2), make_metric("o", weight=0.3))
    assert ranks_of(rank_teams(values, metrics)) == {"a": 1, "b": 1}


@pytest.mark.parametrize("higher", [True, False])
def test_a_missing_score_ranks_last_and_is_not_eligible(make_metric: MakeMetric, higher: bool) -> None:
    values = pd.DataFrame({"m": [9.0, 8.0, 7.0], "fid": [np.nan, 300.0, 200.0]}, index=list("abc"))
    reasons = {("a", "fid"): "a value for 3 of 9 samples, 95% needed"}
    phase1 = rank_teams(values, (make_metric("m"), make_metric("fid", higher)), finalists=1, missing=reasons)
    assert phase1.ranks.loc["a", "fid"] == 3
    table = phase1.table.set_index("team")
    assert not table.loc["a", "eligible"]
    assert "fid: a value for 3 of 9 samples" in str(table.loc["a", "why"])
    assert "a" not in phase1.goes_on
    assert len(phase1.goes_on) >= 1


def test_an_ineligible_team_does_not_take_a_place(make_metric: MakeMetric) -> None:
    values = pd.DataFrame(
        {"m": [9.0, 8.0, 7.0], "n": [9.0, 8.0, 7.0], "o": [np.nan, 8.0, 7.0]}, index=list("abc")
    )
    phase1 = rank_teams(values, tuple(make_metric(name) for name in "mno"), finalists=2)
    assert ranks_of(phase1) == {"a": 1, "b": 1, "c": 3}
    assert phase1.goes_on == ("b", "c")


def test_everyone_who_shares_the_last_place_goes_on(make_metric: MakeMetric) -> None:
    values = pd.DataFrame({"m": [9.0, 8.0, 8.0, 7.0]}, index=list("abcd"))
    phase1 = rank_teams(values, (make_metric("m"),), finalists=2)
    assert phase1.goes_on == ("a", "b", "c")
    why = phase1.table.set_index("team")["why"]
    assert "shares the last place" in why["b"]
    assert "shares the last place" not in why["a"]
    assert why["d"].endswith("2 go on")


def test_intervals_of_ranks(make_metric: MakeMetric) -> None:
    values = pd.DataFrame({"m": [3.0, 2.0, 1.0]}, index=list("abc"))
    resampled = np.tile([3.0, 2.0, 1.0], (100, 1))
    resampled[:40, :2] = resampled[:40, 1::-1]  # a and b swapped in 40 of 100 draws
    phase1 = rank_teams(values, (make_metric("m"),), resampled=resampled[:, None, :], level=0.9)
    table = phase1.table.set_index("team")
    assert table["rank_best"].tolist() == [1, 1, 3]
    assert table["rank_worst"].tolist() == [2, 2, 3]
    assert table["first_share"].tolist() == pytest.approx([0.6, 0.4, 0.0])


_SCORES = st.lists(
    st.lists(st.one_of(st.none(), st.integers(0, 5).map(float)), min_size=3, max_size=3),
    min_size=1,
    max_size=7,
)


@settings(deadline=None, max_examples=60)
@given(scores=_SCORES, data=st.data())
@pytest.mark.parametrize("rule", ["shared", "first_metric", "mean_normalised"])
@pytest.mark.parametrize("ranking", ["competition", "average"])
def test_ranking_is_fair(
    make_metric: MakeMetric, rule: TieRule, ranking: Ranking, scores: list[list[float]], data: st.DataObject
) -> None:
    """Neither the order of the teams nor their names matter, and nobody outranks a better team."""
    metrics = (make_metric("x"), make_metric("y", False, 2.0), make_metric("z"))
    values = pd.DataFrame(
        scores, columns=list("xyz"), index=[f"t{i}" for i in range(len(scores))], dtype=float
    )
    order = data.draw(st.permutations(range(len(scores))))
    renamed = values.iloc[order].rename(index=lambda name: f"team {9 - int(name[1:])}")
    plain = ranks_of(rank_teams(values, metrics, ranking=ranking, tie_rule=rule))
    other = ranks_of(rank_teams(renamed, metrics, ranking=ranking, tie_rule=rule))
    assert {f"team {9 - int(name[1:])}": rank for name, rank in plain.items()} == other
    assert min(plain.values()) == 1
    keys = values.assign(y=-values["y"]).fillna(-np.inf)
    for one in values.index:
        for two in values.index:
            if (keys.loc[one] >= keys.loc[two]).all():
                assert plain[one] <= plain[two]


def test_normalised_values() -> None:
    values = np.array([1.0, 3.0, np.nan, 2.0])
    assert normalised(values, higher_is_better=True).tolist() == [0.0, 1.0, 0.0, 0.5]
    assert normalised(values, higher_is_better=False).tolist() == [1.0, 0.0, 0.0, 0.5]
    assert normalised(np.array([2.0, 2.0]), higher_is_better=True).tolist() == [1.0, 1.0]
    assert normalised(np.array([np.nan]), higher_is_better=True).tolist() == [0.0]
