"""One rule of when two runs compare, asked from both sides: two runs beside each other, and a leaderboard."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ipvg_eval.comparison import compare
from ipvg_eval.core.comparability import comparable_facts, differences, differing_facts, obstacles
from ipvg_eval.core.run import RunInfo
from ipvg_eval.leaderboard import build_leaderboard, read_runs
from ipvg_eval.leaderboard.errors import RunsError
from ipvg_eval.leaderboard.submissions import check_comparable
from ipvg_eval.results import load_run
from ipvg_eval.results.checksums import check_folder

OLD = Path(__file__).parents[2] / "golden" / "runs"
COUNTS = {  # what may not differ, and the fact that names it
    "protocol.sha256": ("f" * 64, "protocol"),
    "protocol.version": (99, "protocol"),
    "testset.fingerprint": ("f" * 64, "test set"),
    "weights.mtcnn_pnet": ("f" * 64, "weights of mtcnn_pnet"),
    "random_weights": (7, "random weights"),
    "decoder": ("another 1.0", "decoder"),
    "device.device": ("cuda:0", "device type"),
    "device.dtype": ("bfloat16", "dtype"),
    "specs.0.version": (99, "metrics"),
}
DOES_NOT_COUNT = {
    "team": "another",
    "testset.name": "another",
    "device.name": "another",
    "device.threads": 64,
    "device.batch_size": 1,
    "device.compiled": True,
    "provenance.python": "3.99",
    "limits.seconds": 1.0,
    "weights.file: scores.json": "f" * 64,
    "specs.0.summary": "other words",
    "protocol.notice": "other words",
}


def changed(info: RunInfo, place: str, value: object) -> RunInfo:
    """The run with one value of its run.json changed."""
    content = info.model_dump(mode="json")
    part = content
    *way, last = place.split(".", 2 if place.startswith("specs") else 1)
    for step in way:
        part = part[int(step)] if step.isdigit() else part[step]
    part[last] = value
    return RunInfo.model_validate_json(json.dumps(content))


@pytest.fixture(scope="module")
def info() -> RunInfo:
    return load_run(OLD / "careful").info


def on_the_board(one: RunInfo, other: RunInfo) -> bool:
    """Whether a leaderboard takes both runs."""
    from dataclasses import replace

    run = read_runs([OLD / "careful"])[0]
    try:
        check_comparable([replace(run, info=one), replace(run, info=other, path=OLD / "another")])
    except RunsError:
        return False
    return True


@pytest.mark.parametrize("place", COUNTS)
def test_what_counts(info, place):
    value, fact = COUNTS[place]
    other = changed(info, place, value)
    assert list(differences(info, other)) == [fact]
    assert list(differing_facts({"a": info, "b": other})) == [fact]
    assert not on_the_board(info, other)
    assert list(obstacles(info, other)) == [fact]


@pytest.mark.parametrize("place", DOES_NOT_COUNT)
def test_what_does_not_count(info, place):
    other = changed(info, place, DOES_NOT_COUNT[place])
    assert other != info
    assert differences(info, other) == {}
    assert on_the_board(info, other)
    assert (obstacles(info, other) != {}) == (place in ("team", "weights.file: scores.json"))


def test_a_newer_run_may_say_more(info):
    content = info.model_dump(mode="json")
    content["more"] = content["device"]["more"] = content["limits"]["more"] = 1
    assert RunInfo.model_validate_json(json.dumps(content)) == info


@pytest.mark.parametrize("moment", ["2026-05-17T08:00:00", "yesterday", ""])
def test_a_time_without_a_zone_is_refused(info, moment):
    content = info.model_dump(mode="json") | {"started": moment}
    with pytest.raises(ValueError, match="started"):
        RunInfo.model_validate_json(json.dumps(content))


def test_old_runs_load_compare_and_rank():
    careful, careless = (load_run(OLD / team) for team in ("careful", "careless"))
    assert check_folder(OLD / "careful").ok
    assert comparable_facts(careful.info) == comparable_facts(careless.info)
    names = {found.name for found in compare(careful, careless).metrics}
    assert {"lite_identity", "lite_motion", "face_coverage"} <= names
    (track,) = build_leaderboard(read_runs([OLD / "careful", OLD / "careless"]), unofficial=True).tracks
    assert sorted(track.phase1.table["team"]) == ["careful", "careless"]
