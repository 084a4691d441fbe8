"""A run's numbers are measured again: honest ones come out, invented ones are named."""

from __future__ import annotations

import json
import shutil

import pytest

from ipvg_eval import Recipe, score
from ipvg_eval.core.errors import UsageError
from ipvg_eval.errors import RunError
from ipvg_eval.metrics.protocols.loading import load_protocol
from ipvg_eval.results.checksums import write_checksums
from ipvg_eval.scoring.recompute import recompute, tolerance
from ipvg_eval.testset import load_testset

METRICS = ["lite_motion", "dynamic_degree_lite"]
SPECS = {spec.name: spec for spec in load_protocol("lite").specs}


@pytest.fixture(scope="module")
def original(fixtures, tmp_path_factory):
    """Four samples of ten, with a frame budget, which measuring again must keep."""
    out = tmp_path_factory.mktemp("recompute") / "run"
    score(
        fixtures / "submissions" / "careful",
        testset=fixtures / "testset",
        recipe=Recipe(protocol="lite", metrics=METRICS, frames=5),
        out=out,
        limit=4,
    )
    return out


@pytest.fixture
def run(original, tmp_path):
    return shutil.copytree(original, tmp_path / "run")


def rewrite(run, change):
    """Change the journal's rows, and the checksums with them."""
    path = run / "journal.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        change(row)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    write_checksums(run)


def test_an_honest_run_is_reproduced_exactly(run, fixtures):
    done = recompute(run, fixtures / "submissions" / "careful", fixtures / "testset", count=3)
    assert done.ok
    assert done.unlike == {}
    assert len(done.samples) == 3
    assert done.values == 6


def test_the_draw_is_seeded(run, fixtures):
    careful, testset = fixtures / "submissions" / "careful", load_testset(fixtures / "testset")
    drawn = [recompute(run, careful, testset, count=1, seed=seed).samples for seed in (0, 0, 1, 2)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) > 1
    assert len(recompute(run, careful, testset, count=99).samples) == 4


def test_an_invented_number_is_named(run, fixtures):
    def improve(row):
        if row["sample"] == "id001/prompt2":
            row["measurements"][0]["value"] = 0.999

    rewrite(run, improve)
    done = recompute(run, fixtures / "submissions" / "careful", fixtures / "testset", count=4)
    assert [(d.sample, d.metric, d.recorded) for d in done.differences] == [
        ("id001/prompt2", "lite_motion", "0.999")
    ]


def test_on_another_machine_the_tolerance_of_the_metric_decides(run, fixtures):
    """The run says it was made elsewhere: 1e-4 off passes where 1e-3 is allowed, 1e-2 off does not."""
    info = json.loads((run / "run.json").read_text())
    info["device"]["name"] = "Another CPU"
    (run / "run.json").write_text(json.dumps(info))

    def drift(row):
        for name, off in {"id001/prompt1": 1e-4, "id001/prompt2": 1e-2}.items():
            if row["sample"] == name:
                row["measurements"][0]["value"] -= off

    rewrite(run, drift)
    done = recompute(run, fixtures / "submissions" / "careful", fixtures / "testset", count=4)
    assert done.unlike["device"][0] == "Another CPU"
    assert [(d.sample, d.tolerance) for d in done.differences] == [("id001/prompt2", 1e-3)]


def test_another_video_is_named(run, fixtures, careful):
    (careful / "id001/prompt1.mp4").write_bytes((careful / "id001/prompt2.mp4").read_bytes())
    done = recompute(run, careful, fixtures / "testset", count=4)
    assert [(d.sample, d.metric) for d in done.differences] == [("id001/prompt1", "video")]


def test_tolerances_by_hand():
    assert tolerance(SPECS["lite_motion"], 0.5) == pytest.approx(1e-3)  # 0 to 1
    assert tolerance(SPECS["lite_identity"], 0.5) == pytest.approx(2e-3)  # -1 to 1
    assert tolerance(SPECS["dynamic_degree_lite"], 4.0) == pytest.approx(4e-3)  # 0 to infinity
    assert tolerance(SPECS["dynamic_degree_lite"], 0.0) == pytest.approx(1e-6)


def test_another_test_set_and_a_run_without_scores_are_refused(run, fixtures, tmp_path):
    careful = fixtures / "submissions" / "careful"
    other = shutil.copytree(fixtures / "testset", tmp_path / "testset")
    (other / "id001" / "prompt1.txt").write_text("Something else.")
    with pytest.raises(RunError, match="another test set"):
        recompute(run, careful, other, count=1)
    with pytest.raises(UsageError, match="at least one"):
        recompute(run, careful, fixtures / "testset", count=0)
    rewrite(run, lambda row: row.update(status="missing", reason="gone"))
    with pytest.raises(RunError, match="no sample"):
        recompute(run, careful, fixtures / "testset", count=1)


def test_the_command(run, fixtures, command):
    words = ["--recompute", "2", "--submission", fixtures / "submissions" / "careful"]
    done = command("verify", run, *words, "--testset", fixtures / "testset", OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 samples (seed 0)" in done.stdout
    lacking = command("verify", run, "--recompute", "2")
    assert (lacking.returncode, "--submission" in lacking.stderr) == (2, True)
