"""`score --profile`, `--batch-size` and `--compile`, by the command."""

from __future__ import annotations

import csv
import json
import math

import pytest

FAST = ("--protocol", "lite", "--limit", "2", "--metrics", "face_coverage,lite_identity,dynamic_degree_lite")
FEW = ("--frames", "3", "--device", "cpu")
TABLES = ("samples.csv", "frames.parquet", "samples.parquet", "summary.json")


@pytest.fixture(scope="module")
def submission(fixtures):
    return (fixtures / "submissions" / "careful", "--testset", fixtures / "testset", *FAST, *FEW)


def test_the_stages_add_up_and_the_batch_size_changes_nothing(command, submission, tmp_path):
    out = {size: tmp_path / f"batches-of-{size}" for size in ("1", "7")}
    plain = command("score", *submission, "--batch-size", "1", "--profile", "--out", out["1"])
    assert plain.returncode == 0, plain.stderr
    assert "wait for decoding" in plain.stderr
    assert "detect mtcnn" in plain.stderr
    assert "wait for decoding" not in plain.stdout
    done = command("score", *submission, "--batch-size", "7", "--profile", "--json", "--out", out["7"])
    assert done.returncode == 0, done.stderr
    for name in TABLES:
        assert (out["1"] / name).read_bytes() == (out["7"] / name).read_bytes(), name
    assert json.loads((out["7"] / "run.json").read_text("utf-8"))["device"]["batch_size"] == 7

    (run,) = json.loads(done.stdout)["runs"]
    profile = run["profile"]
    stages = {stage["stage"]: stage for stage in profile["stages"]}
    split = [stage for stage in stages.values() if stage["kind"] != "beside"]
    assert math.fsum(stage["share"] for stage in split) == pytest.approx(1.0, abs=1e-9)
    assert math.fsum(stage["seconds"] for stage in split) == pytest.approx(profile["seconds"])
    assert {stage["kind"] for stage in split} == {"wait", "detect", "measure", "write", "rest"}
    assert profile["networks_share"] == 0
    assert profile["detectors_share"] == stages["detect mtcnn"]["share"] > 0
    # Three frames of two clips and the one reference picture they share, each searched once or twice.
    assert 7 <= stages["detect mtcnn"]["calls"] <= 14
    assert stages["rest of measuring"]["calls"] == 2 + 2, "each clip is watched, then finished"
    assert stages["decode"]["kind"] == "beside"

    with (out["7"] / "profile.csv").open(encoding="utf-8", newline="") as file:
        written = {row["stage"]: row for row in csv.DictReader(file)}
    assert written.keys() == stages.keys()
    for name, row in written.items():
        assert float(row["seconds"]) == pytest.approx(stages[name]["seconds"], abs=1e-6)
        assert int(row["calls"]) == stages[name]["calls"]
    assert command("verify", out["7"]).returncode == 0, "a profile is not part of what is checked"


def test_a_cluster_is_not_profiled(command, submission):
    done = command("score", *submission, "--profile", "--ray", "local")
    assert done.returncode == 2
    assert "Leave out --ray" in done.stderr


def test_a_machine_without_a_compiler_says_so_before_anything_is_loaded(command, submission, tmp_path):
    environment = {"PATH": str(tmp_path), "CXX": "", "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "cache")}
    done = command("score", *submission, "--compile", "--out", tmp_path / "run", **environment)
    assert done.returncode == 3, done.stderr
    assert "torch cannot compile for cpu here" in done.stderr
    assert "Leave out --compile" in done.stderr
    assert not (tmp_path / "run").exists()
