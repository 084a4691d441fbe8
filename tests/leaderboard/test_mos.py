from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import krippendorff
import numpy as np
import pytest
from scipy import stats

from ipvg_eval.leaderboard.errors import VotesError
from ipvg_eval.leaderboard.mos import MeanOpinions, mean_opinions
from ipvg_eval.leaderboard.opinions import read_opinions

WriteVotes = Callable[..., Path]
WIDE = "team,sample,annotator,identity,quality"


def cell(means: MeanOpinions, team: str, aspect: str, name: str) -> float:
    return float(means.table.set_index(["team", "aspect"]).loc[(team, aspect), name])


def test_means_by_hand(write_votes: WriteVotes) -> None:
    lines = [WIDE, "A,s1,x,5,4", "A,s1,y,3,2", "A,s2,x,2,", "B,s1,x,1,1"]
    means = mean_opinions(read_opinions(write_votes(lines)))
    assert means.aspects == ("identity", "quality", "mean")
    # identity: ((5 + 3) / 2 + 2) / 2; quality: (4 + 2) / 2 on one sample; mean: ((4 + 3) / 2 + 2) / 2.
    assert cell(means, "A", "identity", "mean") == 3
    assert cell(means, "A", "quality", "mean") == 3
    assert cell(means, "A", "mean", "mean") == 2.75
    assert means.overall == {"A": 2.75, "B": 1.0}
    assert cell(means, "A", "identity", "ratings") == 3
    assert cell(means, "A", "identity", "annotators") == 2
    assert cell(means, "A", "quality", "samples") == 1
    assert np.isnan(cell(means, "A", "quality", "low"))
    assert np.isnan(cell(means, "A", "identity", "low"))
    assert [line.partition(":")[0] for line in means.warnings] == ["2 identities", "2 annotators"]


def test_long_and_wide_sheets_are_the_same(write_votes: WriteVotes) -> None:
    wide = [WIDE, "A,s1,x,5,4", "A,s2,x,3,2", "B,s1,x,1,"]
    long = ["score,aspect,team,sample,annotator", "5,identity,A,s1,x", "4,quality,A,s1,x"]
    long += ["3,identity,A,s2,x", "2,quality,A,s2,x", "1,identity,B,s1,x"]
    one = mean_opinions(read_opinions(write_votes(wide, "wide.csv")))
    two = mean_opinions(read_opinions(write_votes(long, "long.csv")))
    assert one.table.equals(two.table)


def test_a_scale_from_zero(write_votes: WriteVotes) -> None:
    """The ends of the interval and the categories of alpha are the scale's."""
    lines = ["team,sample,annotator,quality,scale"]
    scores = {"x": [0, 0, 0, 0, 0, 1], "y": [0, 0, 0, 0, 0, 3]}
    lines += [f"A,s{n},{who},{score},0 to 5" for who in "xy" for n, score in enumerate(scores[who])]
    sheet = read_opinions(write_votes(lines))
    means = mean_opinions(sheet)
    assert str(means.scale) == "0 to 5"
    assert cell(means, "A", "quality", "mean") == pytest.approx(2 / 6)
    assert cell(means, "A", "quality", "low") == 0.0  # cut at the scale's end
    expected = krippendorff.alpha(
        np.array(list(scores.values())), value_domain=range(6), level_of_measurement="ordinal"
    )
    assert means.agreement["quality"].alpha == pytest.approx(expected, abs=1e-9)


def test_intervals_are_over_identities(write_votes: WriteVotes) -> None:
    """All samples of an identity have one score: five prompts must not look like five times the evidence."""
    rng = np.random.default_rng(8)
    lines = ["team,sample,identity_kept"]
    scores = rng.integers(1, 6, 60)
    lines += [f"A,id{i:02d}/{j},{score}" for i, score in enumerate(scores) for j in range(5)]
    sheet = read_opinions(write_votes(lines))
    identities = {sample: sample.partition("/")[0] for sample in sheet.table["sample"]}
    means = mean_opinions(sheet, identities=identities)
    assert means.aspects == ("identity_kept",)
    half = (cell(means, "A", "identity_kept", "high") - cell(means, "A", "identity_kept", "low")) / 2
    assert half == pytest.approx(stats.t.ppf(0.975, 59) * scores.std(ddof=1) / np.sqrt(60))
    assert cell(means, "A", "identity_kept", "identities") == 60


def test_agreement_is_krippendorffs(write_votes: WriteVotes) -> None:
    rng = np.random.default_rng(9)
    ratings = rng.integers(1, 6, (3, 20))
    lines = ["team,sample,annotator,quality"]
    lines += [f"A,s{j},{'xyz'[i]},{ratings[i, j]}" for i in range(3) for j in range(20)]
    means = mean_opinions(read_opinions(write_votes(lines)))
    expected = krippendorff.alpha(ratings, value_domain=range(1, 6), level_of_measurement="ordinal")
    assert means.agreement["quality"].alpha == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([WIDE, "A,s,x,5,6"], "line 2: quality '6' is not a whole number from 1 to 5"),
        ([WIDE, "A,s,x,3.5,1"], "line 2: identity '3.5' is not"),
        ([WIDE, "A,s,x,5,0"], "line 2: quality '0' is not"),
        ([WIDE, "A,s,x,5,4", "A,s,x,4,"], "line 3: the same identity score as line 2"),
        ([WIDE, "A,s,x,5"], "line 2: 4 fields, the header has 5"),
        ([WIDE, ",s,x,5,4"], "line 2: no team"),
        ([WIDE, "A,s,x,,"], "there is no score"),
        (["team,identity", "A,5"], "line 1: there is no column 'sample'"),
        (["team,sample", "A,s"], "line 1: no column holds an aspect"),
        (["team,sample,aspect", "A,s,q"], "line 1: columns `aspect` and `score` come together"),
        (["team,sample,aspect,score,scroe", "A,s,q,1,2"], "line 1: unknown column 'scroe'"),
        (["team,sample,mean", "A,s,1"], "line 1: an aspect cannot be called 'mean'"),
        (["team,sample,q,scale", "A,s,6,0 to 5"], "line 2: q '6' is not a whole number from 0 to 5"),
        (["team,sample,q,scale", "A,s,1,0-5"], "column `scale` holds '0-5'"),
        (["team,sample,q,scale", "A,s,1,5 to 0"], "column `scale` holds '5 to 0'"),
        (["team,sample,q,scale", "A,s,1,1 to 5", "A,t,1,0 to 5"], "holds '1 to 5' and '0 to 5'"),
        (["team,sample,q,scale", "A,s,1,1 to 5", "A,t,1,"], "holds '1 to 5' and ''"),
    ],
)
def test_bad_sheets_are_named(write_votes: WriteVotes, lines: list[str], message: str) -> None:
    path = write_votes(lines)
    with pytest.raises(VotesError, match=message) as caught:
        read_opinions(path)
    assert str(path) in str(caught.value)
    assert str(caught.value).count("line 2") <= 1 or "same" in message


def test_unknown_teams_and_samples_are_named(write_votes: WriteVotes) -> None:
    sheet = read_opinions(write_votes(["team,sample,q", "Alpha,s,1", "Alpa,s,2"]))
    with pytest.raises(VotesError, match="line 3: unknown team 'Alpa'") as caught:
        sheet.check(teams={"Alpha"})
    assert caught.value.hint == "Did you mean 'Alpha'?"
    with pytest.raises(VotesError, match="line 2: unknown sample 's'"):
        sheet.check(teams=sheet.teams, samples={"id001/prompt1"})
