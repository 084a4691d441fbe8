from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ipvg_eval.leaderboard import (
    ChallengeError,
    Leaderboard,
    RunsError,
    VotesError,
    build_leaderboard,
    parse_challenge,
    read_runs,
    read_votes,
)

MakeRun = Callable[..., Path]
WriteVotes = Callable[..., Path]
Values = dict[str, list[float | None]]


def _spread(means: Sequence[float], samples: int = 1000) -> Values:
    """Values around given means, a tenth of each up and down in turn, so that the mean is the given one."""
    sign = np.where(np.arange(samples) % 2, 1.0, -1.0)
    names = ("face_cur", "face_arc", "fid", "clip")
    return {name: list(mean * (1 + 0.1 * sign)) for name, mean in zip(names, means, strict=True)}


def _set(key: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda info: info.update({key: value})


def _unofficial(info: dict[str, Any]) -> None:
    info["protocol"] |= {"official": False, "notice": "Proxies only."}


def _sequential(info: dict[str, Any]) -> None:
    info["testset"]["track"] = "sequential"


@pytest.fixture
def published(make_run: MakeRun, published_values: Any) -> list[Path]:
    return [make_run(team, _spread(row.tolist())) for team, row in published_values.iterrows()]


def final_ranks(board: Leaderboard, track: str = "facial") -> dict[str, int]:
    table = board.track(track).final.table
    return dict(zip(table["team"], table["rank"], strict=True))


def test_the_published_table_from_run_folders_and_votes(
    published: list[Path], published_lines: list[str], write_votes: WriteVotes
) -> None:
    votes = write_votes(published_lines)
    board = build_leaderboard(read_runs(published), votes=read_votes(votes))
    track = board.track("facial")
    sums = dict(zip(track.phase1.table["team"], track.phase1.table["rank_sum"], strict=True))
    assert sums == {"ghl": 6, "XuanYuan": 9, "Wislab": 9}
    assert dict(zip(track.phase1.table["team"], track.phase1.table["rank"], strict=True)) == {
        "ghl": 1,
        "XuanYuan": 2,
        "Wislab": 2,
    }
    assert final_ranks(board) == {"ghl": 1, "XuanYuan": 2, "Wislab": 3}
    assert track.final.table["judgement"].tolist() == [1258, 1147.5, 594.5]
    assert track.ratings["overall"].clusters == 200
    assert track.sources == {str(votes): hashlib.sha256(votes.read_bytes()).hexdigest()}
    assert track.notices == ()


def test_the_board_is_json(
    published: list[Path], published_lines: list[str], write_votes: WriteVotes
) -> None:
    votes = read_votes(write_votes(published_lines))
    board = build_leaderboard(read_runs(published), parse_challenge("title: IPVG 2025"), votes=votes)
    content = json.loads(board.to_json())
    assert content["challenge"]["title"] == "IPVG 2025"
    track = content["tracks"][0]
    assert [row["rank"] for row in track["final"]["table"]] == [1, 2, 3]
    assert track["final"]["table"][0]["score"] is None
    assert track["ratings"]["overall"]["wins"]["index"] == ["ghl", "XuanYuan", "Wislab"]
    assert track["ratings"]["overall"]["wins"]["data"][0][1] == 545
    assert track["worked"]["ghl"]["rank_sum"] == 6
    assert track["identities"] == 200
    assert "samples" not in track
    assert len(json.loads(board.to_json(samples=True))["tracks"][0]["samples"]) == 3000


def test_equal_input_gives_equal_output(published: list[Path]) -> None:
    one = build_leaderboard(read_runs(published)).to_json(samples=True)
    two = build_leaderboard(read_runs(published[::-1])).to_json(samples=True)
    assert one == two


def test_scores_carry_intervals_over_identities(make_run: MakeRun) -> None:
    """Every sample of an identity has one value: the standard error is that of the identities' mean."""
    by_identity = np.random.default_rng(1).normal(size=100)
    values = {"cur": list(np.repeat(by_identity, 5))}
    runs = read_runs([make_run("A", values), make_run("B", {"cur": list(np.repeat(by_identity, 5) - 0.1)})])
    board = build_leaderboard(runs, parse_challenge("bootstrap: {resamples: 4000}"))
    row = board.track("facial").scores.table.set_index("team").loc["A"]
    half = 1.96 * by_identity.std() / 10
    assert row["high"] - row["low"] == pytest.approx(2 * half, rel=0.1)
    assert (row["count"], row["identities"]) == (500, 100)
    # Paired: the difference is the same on every sample, whatever the spread of the scores.
    gap = board.track("facial").differences.iloc[0]
    assert (gap["team"], gap["other"], gap["wins"], gap["losses"]) == ("A", "B", 500, 0)
    assert [gap["low"], gap["difference"], gap["high"]] == pytest.approx([0.1, 0.1, 0.1])
    assert gap["clear"]


def test_baselines_are_shown_but_not_ranked(published: list[Path], make_run: MakeRun) -> None:
    strong = make_run("Phantom", _spread([0.9, 0.9, 10.0, 99.0]))
    board = build_leaderboard(read_runs([*published, strong]), parse_challenge("baselines: [Phantom]"))
    track = board.track("facial")
    assert track.baselines == ("Phantom",)
    assert "Phantom" in set(track.scores.table["team"])
    assert "Phantom" not in final_ranks(board)
    assert track.phase1.table["rank_sum"].tolist() == [6, 9, 9]
    with pytest.raises(ChallengeError, match="no run of baseline 'Phantm'") as caught:
        build_leaderboard(read_runs([strong]), parse_challenge("baselines: [Phantm]"))
    assert caught.value.hint == (
        "Score it as a team of this name, or take it out of `baselines`. Did you mean 'Phantom'?"
    )
    with pytest.raises(ChallengeError, match="no team besides the baselines"):
        build_leaderboard(read_runs([strong]), parse_challenge("baselines: [Phantom]"))


@pytest.mark.parametrize(("lost", "eligible"), [(0, True), (1, True), (2, False), (20, False)])
def test_too_many_missing_values_make_a_score_missing(make_run: MakeRun, lost: int, eligible: bool) -> None:
    """Of 20 samples 19 are 95%: one may be missing."""
    best: Values = {"cur": [None] * lost + [0.9] * (20 - lost)}
    runs = read_runs([make_run("best", best), make_run("other", {"cur": [0.1] * 20})])
    phase1 = build_leaderboard(runs).track("facial").phase1
    table = phase1.table.set_index("team")
    assert table.loc["best", "eligible"] == eligible
    assert table.loc["best", "rank"] == (1 if eligible else 2)
    assert ("best" in phase1.goes_on) == eligible
    if not eligible:
        reason = f"{20 - lost} of 20 samples, 95% needed" if lost < 20 else "no value for any of 20 samples"
        assert reason in table.loc["best", "why"]


def test_diagnostics_are_shown_but_do_not_rank(make_run: MakeRun) -> None:
    higher = {"cur": True, "faces": None}
    runs = read_runs(
        [
            make_run("A", {"cur": [2.0] * 5, "faces": [0.0] * 5}, higher=higher),
            make_run("B", {"cur": [1.0] * 5, "faces": [9.0] * 5}, higher=higher),
        ]
    )
    track = build_leaderboard(runs).track("facial")
    assert [(metric.name, metric.arrow, metric.weight) for metric in track.metrics] == [
        ("cur", "↑", 1.0),
        ("faces", "", 0.0),
    ]
    assert track.phase1.table["team"].tolist() == ["A", "B"]
    rules = "metrics: [{name: faces, direction: higher}]"
    assert final_ranks(build_leaderboard(runs, parse_challenge(rules))) == {"B": 1, "A": 2}


@pytest.mark.parametrize(
    ("rules", "message", "hint"),
    [
        ("metrics: [{name: curr}]", "no metric 'curr'", "Did you mean 'cur'?"),
        ("metrics: [{name: fid, direction: higher}]", "better when lower", "Leave the direction out"),
        ("metrics: [{name: faces}]", "is a diagnostic", "direction: higher"),
        ("tracks: [{name: facail}]", "track 'facial'", "Did you mean 'facail'?"),
    ],
)
def test_rules_that_do_not_fit_the_runs(make_run: MakeRun, rules: str, message: str, hint: str) -> None:
    values = {"cur": [1.0] * 5, "fid": [1.0] * 5, "faces": [1.0] * 5}
    runs = read_runs([make_run("A", values, higher={"cur": True, "fid": False, "faces": None})])
    with pytest.raises(ChallengeError, match=message) as caught:
        build_leaderboard(runs, parse_challenge(rules))
    assert hint in (caught.value.hint or "")


def test_runs_without_any_direction_cannot_be_ranked(make_run: MakeRun) -> None:
    runs = read_runs([make_run("A", {"faces": [1.0] * 5}, higher={"faces": None})])
    with pytest.raises(ChallengeError, match="which way is better"):
        build_leaderboard(runs)


def test_mixed_protocols_are_refused_among_counting_runs_only(make_run: MakeRun) -> None:
    def other(info: dict[str, Any]) -> None:
        info["protocol"]["version"] = 2
        info["finished"] = "2026-05-16T00:00:00Z"

    values = {"cur": [1.0] * 5}
    old = make_run("A", values, folder="old", change=other)
    new, rival = make_run("A", values, folder="new"), make_run("B", values)
    build_leaderboard(read_runs([old, new, rival]))
    with pytest.raises(RunsError, match="protocol differs") as caught:
        build_leaderboard(read_runs([old, rival]))
    assert "ipvg2025 2" in str(caught.value)
    assert "ipvg2025 1" in str(caught.value)


def test_numbers_that_nobody_checked_are_named(make_run: MakeRun) -> None:
    def unchecked(info: dict[str, Any]) -> None:
        info["verdicts"] = {"cur": "wrong, do not use"}

    values = {"cur": [1.0] * 5, "motion": [0.5] * 5}
    board = build_leaderboard(read_runs([make_run("A", values), make_run("B", values, change=unchecked)]))
    assert (
        "Numbers of B: wrong, do not use: cur; runs, not checked against a published number: motion."
        in board.track("facial").notices
    )
    assert not any("Numbers of A" in notice for notice in board.track("facial").notices)


def test_unofficial_runs_need_a_word_and_are_marked(make_run: MakeRun) -> None:
    values = {"cur": [1.0] * 5}
    runs = read_runs([make_run(team, values, change=_unofficial) for team in "AB"])
    with pytest.raises(RunsError, match="not official"):
        build_leaderboard(runs)
    board = build_leaderboard(runs, unofficial=True)
    assert "rank nobody" in board.notices[0]
    assert "Proxies only." in board.track("facial").notices
    assert board.unofficial


def test_tracks_are_ranked_apart(make_run: MakeRun, write_votes: WriteVotes) -> None:
    values = {"cur": [1.0] * 5}
    runs = read_runs(
        [
            make_run("A", values),
            make_run("B", {"cur": [2.0] * 5}),
            make_run("A", {"timeline": [2.0] * 5}, folder="A2", change=_sequential),
            make_run("B", {"timeline": [1.0] * 5}, folder="B2", change=_sequential),
        ]
    )
    rules = parse_challenge("tracks: [{name: sequential, title: Track 2}, {name: facial}, {name: third}]")
    votes = read_votes(write_votes(["sample,team_a,team_b,winner", "id001/prompt1,A,B,a"]))
    board = build_leaderboard(runs, rules, votes={"facial": votes})
    assert [track.title for track in board.tracks] == ["Track 2", "facial"]
    assert final_ranks(board, "sequential") == {"A": 1, "B": 2}
    assert final_ranks(board, "facial") == {"A": 1, "B": 2}
    assert board.track("sequential").final.stage == "phase 1"
    assert board.notices == ("Track 'third' has no run yet.",)
    with pytest.raises(KeyError):
        board.track("third")
    with pytest.raises(VotesError, match="do not say on which"):
        build_leaderboard(runs, rules, votes=votes)
    with pytest.raises(VotesError, match="track 'facail'") as caught:
        build_leaderboard(runs, rules, votes={"facail": votes})
    assert caught.value.hint == "Did you mean 'facial'?"


def test_a_metric_of_the_whole_submission_has_no_interval(make_run: MakeRun) -> None:
    """A corpus distance has one value per run, in summary.json alone."""
    paths = []
    for team, distance in (("A", 50.0), ("B", 40.0)):
        path = make_run(team, {"cur": [1.0] * 5, "fid": [distance] * 5})
        pd.read_parquet(path / "samples.parquet").drop(columns="fid").to_parquet(path / "samples.parquet")
        paths.append(path)
    track = build_leaderboard(read_runs(paths)).track("facial")
    row = track.scores.table.set_index(["team", "metric"]).loc[("B", "fid")]
    assert row["mean"] == 40.0
    assert np.isnan(row["low"])
    assert track.phase1.table["team"].tolist() == ["B", "A"]
    assert track.phase1.table["rank_worst"].isna().all(), "one identity has no range of ranks"


def test_nothing_that_is_read_is_changed(
    published: list[Path], published_lines: list[str], write_votes: WriteVotes
) -> None:
    votes = write_votes(published_lines)
    files = [votes, *(file for folder in published for file in sorted(folder.iterdir()))]
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in files}
    build_leaderboard(read_runs(published), votes=read_votes(votes))
    with pytest.raises(VotesError):
        build_leaderboard(read_runs(published[:2]), votes=read_votes(votes))
    assert {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in files} == before
    assert sorted(file for folder in published for file in folder.iterdir()) == sorted(files[1:])


def test_torch_is_never_imported() -> None:
    code = (
        "import ipvg_eval.leaderboard, sys\n"
        "ours = {'.'.join(name.split('.')[:2]) for name in sys.modules if name.startswith('ipvg_eval')}\n"
        "print(sorted(ours | {'torch'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert result.stdout.strip() == "['ipvg_eval', 'ipvg_eval.core', 'ipvg_eval.leaderboard']"


def test_hiding_the_face_does_not_pay(make_run: MakeRun) -> None:
    """B shows its face in the good frames of good videos alone and has the better mean for it."""
    shown, hidden = [0.5] * 20, [0.9] * 20
    runs = read_runs(
        [
            make_run("A", {"cur": shown, "face_coverage": [1.0] * 20}),
            make_run("B", {"cur": hidden, "face_coverage": [1.0] * 4 + [0.1] * 16}),
        ]
    )
    pays = build_leaderboard(runs, parse_challenge("metrics: [{name: cur}]")).track("facial")
    assert pays.phase1.table["team"].tolist() == ["B", "A"]
    rules = parse_challenge("metrics: [{name: cur, requires: {face_coverage: 0.5}}]")
    track = build_leaderboard(runs, rules).track("facial")
    assert track.phase1.table["team"].tolist() == ["A", "B"]
    assert track.phase1.missing == {("B", "cur"): "a value for 4 of 20 samples, 95% needed"}
    assert "cur ↑ (videos with face_coverage of at least 0.5)" in track.rank_rule
    with pytest.raises(ChallengeError, match="no metric 'face_covrage'"):
        build_leaderboard(runs, parse_challenge("metrics: [{name: cur, requires: {face_covrage: 0.5}}]"))
