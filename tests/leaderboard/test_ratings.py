from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import evalica
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ipvg_eval.core.intervals import Crossed
from ipvg_eval.core.resampling import BootstrapRule
from ipvg_eval.leaderboard.bradley_terry import fit_bradley_terry
from ipvg_eval.leaderboard.challenge import EloRule, StudyRule
from ipvg_eval.leaderboard.comparisons import Comparisons
from ipvg_eval.leaderboard.errors import VotesError
from ipvg_eval.leaderboard.ratings import PairwiseRatings, rank_ranges, rate
from ipvg_eval.leaderboard.votes import Votes, read_votes, votes_from_table

WriteVotes = Callable[..., Path]
HEADER = "sample,team_a,team_b,winner"
_WINNERS = {"a": evalica.Winner.X, "b": evalica.Winner.Y, "draw": evalica.Winner.Draw}


def column(ratings: PairwiseRatings, name: str) -> dict[str, float]:
    return dict(zip(ratings.table["team"], ratings.table[name], strict=True))


def identities(votes: Votes) -> dict[str, str]:
    return {sample: sample.partition("/")[0] for sample in votes.table["sample"]}


@pytest.fixture(scope="module")
def published(published_lines: list[str], tmp_path_factory: pytest.TempPathFactory) -> Votes:
    path = tmp_path_factory.mktemp("published") / "votes.csv"
    path.write_text("\n".join(published_lines), "utf-8")
    return read_votes(path)


def test_the_published_points_come_out_exactly(published: Votes) -> None:
    ratings = rate(published, identities=identities(published))
    assert column(ratings, "points") == {"ghl": 1258, "XuanYuan": 1147.5, "Wislab": 594.5}
    assert column(ratings, "rank") == {"ghl": 1, "XuanYuan": 2, "Wislab": 3}
    assert (ratings.comparisons, ratings.votes, ratings.clusters) == (3000, 3000, 200)
    assert ratings.table["points"].sum() == 3000
    assert (ratings.games.to_numpy() == 1000 * (1 - np.eye(3))).all()
    assert ratings.wins.loc["ghl", "XuanYuan"] == 545
    assert ratings.wins.loc["XuanYuan", "ghl"] == 455
    assert column(ratings, "won") == {"ghl": 1223, "XuanYuan": 1120, "Wislab": 562}
    assert column(ratings, "drawn") == {"ghl": 70, "XuanYuan": 55, "Wislab": 65}
    assert column(ratings, "lost") == {"ghl": 707, "XuanYuan": 825, "Wislab": 1373}
    assert [line.partition(":")[0] for line in ratings.warnings] == ["One annotator, or unnamed ones"]


def test_the_published_votes_agree_with_evalica(published: Votes) -> None:
    table = published.table
    result = evalica.bradley_terry(
        table["team_a"],
        table["team_b"],
        [_WINNERS[w] for w in table["winner"]],
        tolerance=1e-12,
        limit=10_000,
    )
    expected = np.log(result.scores)
    expected = 1000 + 400 / np.log(10) * (expected - expected.mean())
    ours = column(rate(published), "bradley_terry")
    assert ours == pytest.approx(expected.to_dict(), abs=1e-5)


def test_intervals_of_points_have_a_closed_form() -> None:
    """Identities of equal size: the share of points is a mean over identities, so its spread is known."""
    rng = np.random.default_rng(3)
    shares = rng.random(100)
    rows = [
        (f"id{i:03d}/{j}", "A", "B", "a" if rng.random() < share else "b")
        for i, share in enumerate(shares)
        for j in range(5)
    ]
    votes = votes_from_table(pd.DataFrame(rows, columns=HEADER.split(",")), source="test")
    ratings = rate(votes, identities=identities(votes))
    points = votes.table["winner"].eq("a").to_numpy().reshape(100, 5).mean(axis=1)
    expected = stats.t.ppf(0.975, 99) * points.std(ddof=1) / 10
    low, high = column(ratings, "win_share_low")["A"], column(ratings, "win_share_high")["A"]
    assert high - low == pytest.approx(2 * expected)
    assert column(ratings, "points_low")["A"] == pytest.approx(500 * low)
    alone = rate(votes)
    assert column(alone, "win_share_high")["A"] - column(alone, "win_share_low")["A"] < high - low


_VOTES = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(["AB", "BA", "AC", "CA", "BC", "CD"]),
        st.sampled_from(["a", "b", "draw"]),
    ),
    min_size=1,
    max_size=25,
)


def _votes(rows: list[tuple[int, str, str]]) -> Votes:
    table = pd.DataFrame(
        [(f"s{sample}", pair[0], pair[1], winner, str(n)) for n, (sample, pair, winner) in enumerate(rows)],
        columns=["sample", "team_a", "team_b", "winner", "annotator"],
    )
    return votes_from_table(table, source="test")


_QUICK = {"elo": EloRule(permutations=5), "bootstrap": BootstrapRule(resamples=20)}


@settings(deadline=None, max_examples=40)
@given(rows=_VOTES, weighting=st.sampled_from(["comparison", "vote"]))
def test_points_add_up_to_the_comparisons(rows: list[tuple[int, str, str]], weighting: str) -> None:
    ratings = rate(_votes(rows), study=StudyRule(weighting=weighting), **_QUICK)
    pairs = {(sample, frozenset(pair)) for sample, pair, _ in rows}
    assert ratings.votes == len(rows)
    assert ratings.comparisons == (len(rows) if weighting == "vote" else len(pairs))
    assert ratings.table["points"].sum() == pytest.approx(ratings.comparisons)
    assert ratings.table["comparisons"].sum() == 2 * ratings.comparisons
    assert ratings.table[["won", "drawn", "lost"]].to_numpy().sum() == 2 * len(rows)
    finite = ratings.table["bradley_terry"].to_numpy()
    assert np.isfinite(finite).all()
    assert finite.mean() == pytest.approx(1000)
    assert (ratings.table["rank_best"] <= ratings.table["rank_worst"]).all()


@settings(deadline=None, max_examples=30)
@given(rows=_VOTES, data=st.data())
def test_neither_the_order_of_votes_nor_names_nor_sides_matter(
    rows: list[tuple[int, str, str]], data: st.DataObject
) -> None:
    renamed = dict(zip("ABCD", data.draw(st.permutations("WXYZ")), strict=True))
    turned = {"a": "b", "b": "a", "draw": "draw"}
    others = [
        (sample, renamed[pair[1]] + renamed[pair[0]], turned[winner])
        for sample, pair, winner in data.draw(st.permutations(rows))
    ]
    one, two = rate(_votes(rows), **_QUICK), rate(_votes(others), **_QUICK)
    for name in (
        "points",
        "rank",
        "bradley_terry",
        "win_share_low",
        "bradley_terry_high",
        "estimable",
        "few",
    ):
        expected = {renamed[team]: value for team, value in column(one, name).items()}
        assert column(two, name) == pytest.approx(expected, abs=1e-6, nan_ok=True)


def test_a_sweep_is_said(write_votes: WriteVotes) -> None:
    lines = [HEADER]
    for number in range(40):
        lines += [f"s{number},A,B,a", f"s{number},A,C,a", f"s{number},B,C,{'a' if number % 4 else 'b'}"]
    ratings = rate(read_votes(write_votes(lines)))
    assert ratings.bradley_terry.method == "ridge"
    assert column(ratings, "estimable") == {"A": False, "B": True, "C": True}
    assert "precision 0.01" in ratings.warnings[0]
    assert ratings.warnings[0].endswith("not estimable from the votes: A.")
    assert column(ratings, "rank_best")["A"] == column(ratings, "rank_worst")["A"] == 1


def test_islands_are_said(write_votes: WriteVotes) -> None:
    lines = [
        HEADER,
        *(f"s{n},A,B,{'ab'[n % 2]}" for n in range(9)),
        *(f"s{n},C,D,{'ab'[n % 2]}" for n in range(9)),
    ]
    ratings = rate(read_votes(write_votes(lines)))
    assert not ratings.table["estimable"].any()
    assert "A, B, C, D" in ratings.warnings[0]


def test_one_vote(write_votes: WriteVotes) -> None:
    ratings = rate(read_votes(write_votes([HEADER, "s,A,B,a"])))
    assert column(ratings, "points") == {"A": 1, "B": 0}
    assert ratings.table[["points_low", "win_share_high", "bradley_terry_low"]].isna().all(axis=None)
    assert column(ratings, "rank_worst") == {"A": 2, "B": 2}
    assert ratings.table["few"].all()
    assert [line for line in ratings.warnings if line.startswith("1 identity: too few for intervals")]
    assert ratings.agreement.alpha is None


def test_all_draws(write_votes: WriteVotes) -> None:
    lines = [HEADER, *(f"s{n},{pair},draw" for n in range(40) for pair in ("A,B", "B,C", "A,C"))]
    ratings = rate(read_votes(write_votes(lines)))
    assert set(ratings.table["points"]) == {40}
    assert set(ratings.table["rank"]) == {1}
    assert ratings.table["bradley_terry"].to_numpy() == pytest.approx([1000] * 3)
    assert ratings.bradley_terry.method == "maximum likelihood"
    assert set(ratings.table["rank_best"]) == {1}
    assert set(ratings.table["rank_worst"]) == {3}


def test_overlapping_votes_share_one_point(write_votes: WriteVotes) -> None:
    lines = [HEADER + ",annotator", "s,A,B,a,x", "s,B,A,draw,y", "t,A,B,b,x"]
    votes = read_votes(write_votes(lines))
    assert column(rate(votes), "points") == {"A": 0.75, "B": 1.25}
    assert column(rate(votes, study=StudyRule(weighting="vote")), "points") == {"A": 1.5, "B": 1.5}


def test_questions_are_rated_apart(write_votes: WriteVotes) -> None:
    lines = [HEADER + ",question", "s,A,B,a,overall", "s,A,B,b,identity", "t,A,B,b,identity"]
    votes = read_votes(write_votes(lines))
    assert column(rate(votes), "points") == {"A": 1, "B": 0}
    assert column(rate(votes, question="identity"), "points") == {"A": 0, "B": 2}
    with pytest.raises(VotesError, match="'identty'") as caught:
        rate(votes, question="identty")
    assert caught.value.hint == "Did you mean 'identity'?"
    alone = read_votes(write_votes([HEADER + ",question", "s,A,B,a,quality"]))
    assert rate(alone).question == "quality"


def test_a_team_without_votes_is_listed_without_numbers(write_votes: WriteVotes) -> None:
    ratings = rate(read_votes(write_votes([HEADER, "s,A,B,a"])), teams=["C"])
    row = ratings.table.set_index("team").loc["C"]
    assert row["comparisons"] == 0
    assert row["few"]
    assert row[["win_share", "bradley_terry", "bradley_terry_low", "elo"]].isna().all()
    assert (row["rank_best"], row["rank_worst"]) == (1, 3)


def test_rank_ranges_by_hand() -> None:
    """Independent errors of 1: a difference of 2.33 (1.645 x sqrt 2) or more is sure, a smaller is not."""
    one, none = np.eye(4), np.zeros((4, 4))
    count = np.full(4, 100_000)
    spread = Crossed(by_identity=one, by_annotator=none, by_cell=none, identities=count, annotators=count)
    best, worst = rank_ranges(np.array([6.0, 3.6, 1.3, np.nan]), spread, 0.95)
    assert best.tolist() == [1, 2, 2, 1]
    assert worst.tolist() == [2, 4, 4, 4]


def test_pairs_count_alike_where_teams_met_unequally_often(write_votes: WriteVotes) -> None:
    # A beats B in 60 of 100 and C in 9 of 10; B beats C in 8 of 10. Every two teams share 120 / 3 points.
    lines = [HEADER]
    for one, other, won, games in (("A", "B", 60, 100), ("A", "C", 9, 10), ("B", "C", 8, 10)):
        lines += [f"{one}{other}{n},{one},{other},{'a' if n < won else 'b'}" for n in range(games)]
    votes = read_votes(write_votes(lines))
    plain = rate(votes)
    assert column(plain, "points") == {"A": 69, "B": 48, "C": 3}
    assert any("weighting: pair" in line for line in plain.warnings)
    fair = rate(votes, study=StudyRule(weighting="pair"))
    assert not any("weighting: pair" in line for line in fair.warnings)
    assert column(fair, "win_share") == pytest.approx(
        {"A": (0.6 + 0.9) / 2, "B": (0.4 + 0.8) / 2, "C": (0.1 + 0.2) / 2}
    )
    assert column(fair, "points") == pytest.approx({"A": 60, "B": 48, "C": 12})
    assert column(fair, "bradley_terry") == column(plain, "bradley_terry")
    # The variance of the mean of two independent shares; A was seen on 110 samples, each a cluster.
    table = fair.table.set_index("team").loc["A"]
    from scipy.stats import t

    error = np.sqrt((0.6 * 0.4 / 100 + 0.9 * 0.1 / 10) / 4 * 110 / 109)
    half = (table["win_share_high"] - table["win_share_low"]) / 2
    assert half == pytest.approx(t.ppf(0.975, 109) * error, rel=1e-6)


@pytest.mark.parametrize("seed", range(40))
def test_errors_of_strengths_do_not_hang_on_rounding(seed: int) -> None:
    """Against the same model with one team's strength taken as 0, which has nothing singular."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, 0.7, 3)
    rows = []
    for sample in range(400):
        one, other = rng.choice(3, 2, replace=False)
        wins = rng.random() < 1 / (1 + np.exp(truth[other] - truth[one]))
        rows.append((f"s{sample}", f"T{one}", f"T{other}", "a" if wins else "b"))
    table = pd.DataFrame(rows, columns=["sample", "team_a", "team_b", "winner"])
    comparisons = Comparisons.of(votes_from_table(table, source="simulated"))
    fit = fit_bradley_terry(comparisons.wins(), comparisons.teams)
    influences = comparisons.strength_influences(fit.strengths, 0.0)
    crossed = Crossed.of(influences, comparisons.clusters(), None, comparisons.present())
    found = crossed.spread(np.array([[1.0, -1.0, 0.0], [1.0, 0.0, -1.0]])).error
    design = np.eye(3)[comparisons.first] - np.eye(3)[comparisons.second]
    chance = 1 / (1 + np.exp(-design @ fit.strengths))
    free = design[:, 1:]
    inverse = np.linalg.inv((free * (chance * (1 - chance))[:, None]).T @ free)
    steps = ((comparisons.score - chance)[:, None] * free) @ inverse
    assert found == pytest.approx(np.sqrt((steps**2).sum(axis=0) * 400 / 399), rel=0.02)


def test_one_identity_and_one_annotator_have_no_intervals(write_votes: WriteVotes) -> None:
    lines = [HEADER + ",annotator", *(f"id1/{n},A,B,{'ab'[n % 3 == 0]},x" for n in range(60))]
    votes = read_votes(write_votes(lines))
    ratings = rate(votes, identities=identities(votes))
    assert column(ratings, "points") == {"A": 40, "B": 20}
    for name in ("win_share_low", "bradley_terry_high", "first_share"):
        assert np.isnan(ratings.table[name]).all()
    assert (ratings.clusters, ratings.annotators) == (1, 1)
    assert list(column(ratings, "rank_worst").values()) == [2, 2]
    said = [line.partition(":")[0] for line in ratings.warnings]
    assert said[:2] == ["1 identity", "One annotator, or unnamed ones"]


def test_a_unanimous_share_has_the_interval_of_as_many_identities(write_votes: WriteVotes) -> None:
    lines = [HEADER, *(f"id{n // 3}/{n},A,B,a" for n in range(60))]
    votes = read_votes(write_votes(lines))
    table = rate(votes, identities=identities(votes)).table.set_index("team")
    # Twenty identities: a share of 0.025 ** (1 / 20) shows twenty of twenty one time in forty.
    assert table.loc["A", "win_share_low"] == pytest.approx(stats.beta.ppf(0.025, 20, 1))
    assert table.loc["A", "win_share_high"] == 1
    assert table.loc["B", "win_share_high"] == pytest.approx(stats.beta.ppf(0.975, 1, 20))
    assert table.loc["B", "win_share_low"] == 0
