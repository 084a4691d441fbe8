"""Weighted sums and metrics of the whole submission are shown, and count where a challenge names them."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from ipvg_eval.leaderboard import build_leaderboard, parse_challenge, read_run, read_runs


def _add_derived(path, total, distance):
    info = json.loads((path / "run.json").read_text())
    info["protocol"]["combined"] = [
        {
            "name": "overall",
            "title": "Overall",
            "weights": {"cur": 0.5, "clip": 0.5},
            "higher_is_better": True,
        }
    ]
    info["protocol"]["corpus"] = [
        {
            "name": "face_fid",
            "version": 1,
            "title": "Face FID",
            "higher_is_better": False,
            "bounds": [0.0, None],
            "summary": "",
            "source": "",
        }
    ]
    (path / "run.json").write_text(json.dumps(info))
    summary = json.loads((path / "summary.json").read_text())
    summary["corpus"] = [
        {
            "name": "face_fid",
            "title": "Face FID",
            "higher_is_better": False,
            "value": distance,
            "reason": None,
            "samples": 20,
            "references": 4,
        }
    ]
    (path / "summary.json").write_text(json.dumps(summary))
    samples = pd.read_parquet(path / "samples.parquet")
    samples.insert(len(samples.columns) - 2, "overall", pd.Series(total, dtype="float64"))
    samples.to_parquet(path / "samples.parquet")


@pytest.fixture
def runs(make_run):
    values = {"alpha": ([0.75] * 10, [0.25] * 10, 30.0), "beta": ([0.5] * 10, [0.75] * 10, 20.0)}
    paths = []
    for team, (cur, clip, distance) in values.items():
        path = make_run(team, {"cur": cur, "clip": clip}, higher={"cur": True, "clip": True})
        total = [(a + b) / 2 for a, b in zip(cur, clip, strict=True)]
        _add_derived(path, total, distance)
        paths.append(path)
    return read_runs(paths)


def test_they_are_read_with_their_declarations(runs):
    derived = {metric.name: metric for metric in runs[0].info.metrics if metric.name in runs[0].info.derived}
    assert set(derived) == {"overall", "face_fid"}
    assert "0.5 cur + 0.5 clip" in derived["overall"].summary
    assert runs[0].means["face_fid"].value == 30.0
    assert runs[0].samples["overall"].tolist() == [0.5] * 10


def test_without_a_rule_they_are_shown_but_do_not_count(runs):
    (track,) = build_leaderboard(runs).tracks
    weights = {metric.name: metric.weight for metric in track.metrics}
    assert weights == {"cur": 1.0, "clip": 1.0, "overall": 0.0, "face_fid": 0.0}
    means = track.scores.table.set_index(["team", "metric"])["mean"]
    assert means["alpha", "overall"] == 0.5
    assert means["beta", "face_fid"] == 20.0


def test_a_challenge_may_rank_by_them(runs):
    challenge = parse_challenge("title: T\nmetrics:\n  - {name: overall}\n  - {name: face_fid}\n")
    (track,) = build_leaderboard(runs, challenge).tracks
    ranks = track.phase1.ranks
    assert ranks.loc["beta"].tolist() == [1.0, 1.0]
    assert ranks.loc["alpha"].tolist() == [2.0, 2.0]


def test_a_run_without_them_still_reads(make_run):
    run = read_run(make_run("gamma", {"cur": [0.5] * 5}))
    assert [metric.name for metric in run.info.metrics] == ["cur"]
