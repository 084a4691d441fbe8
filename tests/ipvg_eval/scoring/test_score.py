"""Scoring real fixtures: rows, files, missing and broken videos."""

from __future__ import annotations

import json
import shutil
import zipfile

import pandas as pd
import pytest

from ipvg_eval import Recipe, score
from ipvg_eval.core.errors import UsageError
from ipvg_eval.metrics.protocols.loading import load_protocol

FAST = ["dynamic_degree_lite"]


@pytest.fixture(scope="session")
def careless(fixtures, tmp_path_factory):
    """The careless submission under the whole lite protocol."""
    out = tmp_path_factory.mktemp("runs") / "careless"
    return score(
        fixtures / "submissions" / "careless", testset=fixtures / "testset", protocol="lite", out=out
    )


def test_a_run_has_every_promised_file(careless):
    present = {path.name for path in careless.folder.path.iterdir()}
    assert {
        "run.json",
        "journal.jsonl",
        "samples.parquet",
        "samples.csv",
        "frames.parquet",
        "timings.csv",
        "summary.json",
        "summary.md",
        "summary.tex",
        "findings.json",
        "thumbnails",
    } <= present


def test_every_sample_has_a_row_in_the_test_sets_order(careless):
    wanted = [f"id00{i}/prompt{p}" for i in (1, 2) for p in range(1, 6)]
    assert careless.samples["sample"].tolist() == wanted
    assert (careless.samples["status"] == "scored").all()
    assert careless.summary.counts.scored == 10
    assert careless.info.finished is not None


def test_the_run_says_where_its_numbers_come_from(careless):
    info = careless.info
    assert info.protocol.text == load_protocol("lite").text
    assert {spec.name for spec in info.specs} == {
        spec.name for spec in load_protocol("lite").suited_to(timelines=False).specs
    }
    assert info.confinement.by
    assert info.testset.samples == 10
    assert info.testset.identities == 2
    assert info.provenance.packages["torch"]
    assert all(len(sha) == 64 for sha in info.weights.values())
    assert info.weights
    assert info.protocol.official is False


def test_the_faults_of_the_careless_videos_show(careless):
    samples = careless.samples.set_index("sample")
    missing = json.loads(samples.loc["id001/prompt4", "missing"])
    assert samples.loc["id001/prompt4", "face_coverage"] == 0
    assert pd.isna(samples.loc["id001/prompt4", "lite_identity"])
    assert "face" in missing["lite_identity"]
    for identity in ("id001", "id002"):
        blurred, wrong, still, _, shuffled = (samples.loc[f"{identity}/prompt{p}"] for p in range(1, 6))
        assert still["dynamic_degree_lite"] < 0.01 < shuffled["dynamic_degree_lite"]
        assert blurred["lite_imaging"] < still["lite_imaging"]
        assert shuffled["lite_motion"] < still["lite_motion"]
        assert wrong["lite_identity"] < still["lite_identity"]


def test_per_frame_values_carry_their_times(careless):
    frames = careless.frames
    assert {"lite_identity", "lite_motion"} <= set(frames["metric"])
    one = frames[(frames["sample"] == "id001/prompt5") & (frames["metric"] == "lite_imaging")]
    assert one["frame"].is_monotonic_increasing
    assert one["time"].tolist() == pytest.approx((one["frame"] / 16).tolist())


def test_thumbnails_exist_for_people(careless):
    assert careless.folder.thumbnail("id001/prompt1").stat().st_size > 1000
    assert careless.folder.reference("id002").stat().st_size > 500


def test_a_zip_scores_like_its_folder(careful, fixtures, tmp_path):
    archive = tmp_path / "facial_results.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for video in sorted(careful.rglob("*.mp4")):
            file.write(video, video.relative_to(careful).as_posix())
    folder_run = score(
        careful,
        testset=fixtures / "testset",
        recipe=Recipe(protocol="lite", metrics=FAST),
        out=tmp_path / "a",
        limit=4,
    )
    zip_run = score(
        archive,
        testset=fixtures / "testset",
        recipe=Recipe(protocol="lite", metrics=FAST),
        out=tmp_path / "b",
        limit=4,
    )
    assert zip_run.samples.equals(folder_run.samples)
    assert zip_run.frames.equals(folder_run.frames)
    assert zip_run.info.team == "facial_results"


def test_missing_and_broken_videos_are_rows_with_reasons(careful, fixtures, tmp_path):
    (careful / "id001/prompt1.mp4").unlink()
    (careful / "id001/prompt2.mp4").write_bytes(b"not a video")
    (careful / "id001/prompt3.mp4").write_bytes(b"")
    whole = (careful / "id001/prompt4.mp4").read_bytes()
    (careful / "id001/prompt4.mp4").write_bytes(whole[: len(whole) * 2 // 3])
    run = score(
        careful,
        testset=fixtures / "testset",
        recipe=Recipe(protocol="lite", metrics=FAST),
        out=tmp_path / "run",
        limit=5,
    )
    rows = run.samples.set_index("sample")
    assert rows["status"].tolist() == ["missing", "undecodable", "undecodable", "scored", "scored"]
    assert "id001/prompt1.mp4" in rows.loc["id001/prompt1", "reason"]
    assert rows.loc["id001/prompt2", "reason"]
    assert rows.loc["id001/prompt4", "damage"]
    assert json.loads(rows.loc["id001/prompt1", "missing"]).keys() == {"dynamic_degree_lite"}
    counts = run.summary.counts
    assert (counts.missing, counts.undecodable, counts.damaged, counts.failed) == (1, 2, 1, 3)
    assert counts.pending == 5
    assert {finding.code for finding in run.findings} >= {"video-missing"}


def test_an_evaluator_that_breaks_costs_one_sample(careful, fixtures, tmp_path, monkeypatch):
    from ipvg_eval.metrics.lite.motion import LiteMotion

    start = LiteMotion.start

    def break_once(self, target, clip):
        if target.sample_id == "id001/prompt2":
            raise MemoryError("no room")
        return start(self, target, clip)

    monkeypatch.setattr(LiteMotion, "start", break_once)
    run = score(
        careful,
        testset=fixtures / "testset",
        recipe=Recipe(protocol="lite", metrics=FAST),
        out=tmp_path / "run",
        limit=3,
    )
    assert run.samples["status"].tolist() == ["scored", "crashed", "scored"]
    assert "MemoryError: no room" in run.samples["reason"][1]
    monkeypatch.undo()
    again = score(
        careful,
        testset=fixtures / "testset",
        recipe=Recipe(protocol="lite", metrics=FAST),
        out=tmp_path / "run",
        limit=3,
    )
    assert again.samples["status"].tolist() == ["scored"] * 3


def test_an_unreadable_reference_leaves_the_other_metrics(careful, fixtures, tmp_path):
    testset = shutil.copytree(fixtures / "testset", tmp_path / "testset")
    (testset / "id002" / "image.webp").write_bytes(b"broken")
    run = score(careful, testset=testset, recipe=Recipe(protocol="lite", metrics=FAST), out=tmp_path / "run")
    assert run.samples["identity"].unique().tolist() == ["id001"]


def test_a_limit_below_one_is_refused(careful, fixtures):
    with pytest.raises(UsageError, match="at least one"):
        score(careful, testset=fixtures / "testset", protocol="lite", limit=0)
