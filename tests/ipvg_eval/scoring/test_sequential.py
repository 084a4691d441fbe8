"""Track 2 from end to end: real clips in both layouts, through the command line.

The scorer knows every text by example pictures instead of trained weights. What this shows: times, windows,
frames and scores are put together rightly, so that the right order beats every wrong one. What it does not
show: how well a network tells one action from another.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import make_sequential as maker
import pytest
from make_fixtures import write_video
from prototypes import write_prototypes

from ipvg_eval.scoring import Recipe, score
from ipvg_eval.testset import load_testset
from ipvg_eval.validation import validate

SEQUENTIAL = Path(__file__).resolve().parents[3] / "fixtures" / "sequential"
ORDERS = {
    "ordered": maker.ordered,
    "swapped": maker.swapped,
    "late": maker.late,
    "frozen": maker.frozen,
}


@pytest.fixture(scope="module")
def protocol(tmp_path_factory) -> Path:
    return write_prototypes(tmp_path_factory.mktemp("prototypes"))


@pytest.fixture(scope="module")
def summaries(protocol, tmp_path_factory) -> dict[str, dict[str, float]]:
    """Mean of every metric by submission, as the command prints them."""
    folder = tmp_path_factory.mktemp("orders")
    for name, order in ORDERS.items():
        for number, item in enumerate(maker.ITEMS, start=1):
            write_video(folder / name / f"{number}.mp4", order(item))
    command = ["score", *(folder / name for name in ORDERS), "--testset", SEQUENTIAL / "testset"]
    command += ["--protocol", protocol, "--out", folder / "runs", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "ipvg_eval", *map(str, command)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return {
        run["team"]: {m["name"]: m["mean"] for m in run["metrics"]} for run in json.loads(done.stdout)["runs"]
    }


@pytest.mark.parametrize("wrong", ["swapped", "late", "frozen"])
@pytest.mark.parametrize("metric", ["ata", "tim", "sem", "miou", "mof"])
def test_the_right_order_scores_above_every_wrong_one(summaries, wrong, metric):
    name = f"timeline_{metric}"
    assert summaries["ordered"][name] > summaries[wrong][name] + 0.03


def test_the_right_order_is_nearly_perfect_and_a_frozen_video_is_worth_nothing(summaries):
    # Borders are found to half a stride of 0.25 s: events of 1.5 s then overlap by at least 1.375 / 1.625.
    assert summaries["ordered"]["timeline_miou"] > 1.375 / 1.625
    assert min(summaries["ordered"][f"timeline_{m}"] for m in ("tim", "mof", "order")) > 0.85
    assert summaries["frozen"]["timeline_ata"] <= 0
    assert summaries["frozen"]["timeline_success"] == 0
    assert summaries["swapped"]["timeline_order"] < 0
    assert summaries["late"]["timeline_order"] == pytest.approx(1)


def test_the_videos_own_changes_are_where_the_timeline_has_them(summaries):
    assert summaries["ordered"]["lite_boundary_match"] > 0.8
    assert summaries["late"]["lite_boundary_match"] < 0.3
    assert summaries["frozen"]["lite_boundary_match"] == 0


@pytest.mark.parametrize(
    ("testset", "submission", "ids"),
    [
        ("testset", "ordered", ["1", "2", "3"]),
        ("folders", "ordered_folders", ["id001/prompt1", "id002/prompt1", "id003/prompt1"]),
    ],
)
def test_both_layouts_validate_and_score_alike(protocol, summaries, tmp_path, testset, submission, ids):
    path = SEQUENTIAL / "submissions" / submission
    report = validate(path, SEQUENTIAL / testset)
    assert (report.findings, report.testset_findings, report.track) == ((), (), "sequential")
    run = score(path, testset=SEQUENTIAL / testset, protocol=str(protocol), out=tmp_path / "run")
    assert [row.sample for row in run.folder.journal.read().values()] == ids
    means = {metric.name: metric.mean for metric in run.summary.metrics}
    # The shipped clips are the ones the maker writes.
    assert means == pytest.approx(summaries["ordered"], abs=1e-3)


def test_a_video_shorter_than_its_timeline_is_pointed_out(tmp_path):
    for number in (1, 2, 3):
        item = maker.ITEMS[number - 1]
        frames = list(maker.ordered(item))
        write_video(tmp_path / "team" / f"{number}.mp4", iter(frames[: 32 if number == 2 else len(frames)]))
    report = validate(tmp_path / "team", SEQUENTIAL / "testset")
    assert [(f.code, f.sample, f.severity) for f in report.findings] == [
        ("timeline-beyond-video", "2", "warning")
    ]
    assert report.findings[0].message == "The timeline ends at 4.5 s, the video at 2 s."


def test_faulty_timelines_are_findings_and_the_others_are_scored(protocol, tmp_path):
    root = tmp_path / "testset"
    shutil.copytree(SEQUENTIAL / "testset", root)
    good = json.loads((root / "eval.json").read_text("utf-8"))
    reversed_event = {"start": 4, "end": 2, "description": maker.CAT.text}
    no_key = {key: value for key, value in good[0].items() if key != "temporal_captions"}
    items = [
        good[0],
        good[0] | {"temporal_captions": []},
        good[0] | {"temporal_captions": [good[0]["temporal_captions"][0], reversed_event]},
        no_key,
        good[0] | {"class_label": ["woman", "cat", "dog"]},
    ]
    (root / "eval.json").write_text(json.dumps(items), "utf-8")
    for number in range(1, 6):
        target = tmp_path / "team" / f"{number}.mp4"
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(SEQUENTIAL / "submissions/ordered/1.mp4", target)
    findings = load_testset(root).findings
    assert {(f.sample, f.code) for f in findings} == {
        ("2", "timeline-empty"),
        ("3", "timeline-reversed"),
        ("4", "item-key-missing"),
        ("5", "labels-without-images"),
    }
    keys = {"2": "temporal_captions", "3": "temporal_captions", "4": "temporal_captions", "5": "class_label"}
    assert all(keys[f.sample or ""] in f.message for f in findings)
    run = score(tmp_path / "team", testset=root, protocol=str(protocol), out=tmp_path / "run")
    values = {row.sample: {m.name: m for m in row.measurements} for row in run.folder.journal.read().values()}
    assert list(values) == ["1", "2", "3"]
    assert values["1"]["timeline_tim"].value > 0.9
    assert values["2"]["timeline_tim"].value is None
    assert "holds no event" in values["2"]["timeline_tim"].reason
    assert values["3"]["timeline_events"].value == 1
    assert "ends at 2 s, not after it starts at 4 s" in values["3"]["timeline_tim"].note


def test_the_quick_protocol_looks_for_the_prompted_changes(tmp_path):
    """Without any text-video weights; a proxy, and labelled so."""
    run = score(
        SEQUENTIAL / "submissions" / "ordered",
        testset=SEQUENTIAL / "testset",
        recipe=Recipe(protocol="lite", metrics=["lite_boundary_match"]),
        out=tmp_path / "run",
    )
    (metric,) = run.summary.metrics
    assert metric.mean is not None
    assert metric.mean > 0.8
    assert [spec.proxy for spec in run.info.specs] == [True]
