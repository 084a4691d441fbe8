"""A run can be stopped at any moment and goes on as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from ipvg_eval import Recipe, score
from ipvg_eval.errors import RunError

METRICS = ["lite_motion", "dynamic_degree_lite"]
EQUAL = ("samples.parquet", "samples.csv", "frames.parquet", "summary.json", "summary.md", "summary.tex")


def _score(submission, testset, out, **options):
    return score(
        submission, testset=testset, recipe=Recipe(protocol="lite", metrics=METRICS), out=out, **options
    )


def _same(one, other):
    for name in EQUAL:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    for picture in sorted((one / "thumbnails").rglob("*.webp")):
        assert picture.read_bytes() == (other / picture.relative_to(one)).read_bytes()


@pytest.fixture(scope="session")
def whole(fixtures, tmp_path_factory):
    """An uninterrupted run."""
    out = tmp_path_factory.mktemp("whole") / "run"
    _score(fixtures / "submissions" / "careful", fixtures / "testset", out)
    return out


def _start(submission, testset, out):
    words = [
        "score",
        submission,
        "--testset",
        testset,
        "--protocol",
        "lite",
        "--out",
        out,
        "--metrics",
        ",".join(METRICS),
    ]
    return subprocess.Popen(
        [sys.executable, "-m", "ipvg_eval", *map(str, words)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def _wait_for_rows(journal, rows, process):
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        if journal.exists() and journal.read_bytes().count(b"\n") >= rows:
            return
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    pytest.fail("the run wrote no rows")


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_goes_on_and_ends_the_same(fixtures, tmp_path, whole, stop):
    submission, testset, out = fixtures / "submissions" / "careful", fixtures / "testset", tmp_path / "run"
    process = _start(submission, testset, out)
    _wait_for_rows(out / "journal.jsonl", 3, process)
    process.send_signal(stop)
    _, messages = process.communicate(timeout=300)
    kept = (out / "journal.jsonl").read_bytes()
    kept = kept[: kept.rfind(b"\n") + 1]
    assert 3 <= kept.count(b"\n") < 10
    if stop is signal.SIGINT:
        assert process.returncode == 130
        assert "run the same command to go on" in messages
        assert "Traceback" not in messages
        assert (out / "summary.json").exists()
    measured = []
    _score(submission, testset, out, on_sample=lambda done: measured.append(done.measured))
    assert measured.count(False) == kept.count(b"\n")
    assert (out / "journal.jsonl").read_bytes().startswith(kept)
    _same(out, whole)


def test_a_finished_run_measures_nothing_again(fixtures, tmp_path, careful):
    _score(careful, fixtures / "testset", tmp_path / "run", limit=3)
    measured = []
    _score(
        careful,
        fixtures / "testset",
        tmp_path / "run",
        limit=3,
        on_sample=lambda done: measured.append(done.measured),
    )
    assert measured == [False] * 3


def test_only_changed_videos_are_measured_again(fixtures, tmp_path, careful):
    out = tmp_path / "run"
    _score(careful, fixtures / "testset", out, limit=4)
    (careful / "id001/prompt2.mp4").write_bytes((careful / "id002/prompt2.mp4").read_bytes())
    (careful / "id001/prompt3.mp4").unlink()
    measured = {}
    run = _score(
        careful,
        fixtures / "testset",
        out,
        limit=4,
        on_sample=lambda done: measured.update({done.row.sample: done.measured}),
    )
    assert measured == {
        "id001/prompt1": False,
        "id001/prompt2": True,
        "id001/prompt3": True,
        "id001/prompt4": False,
    }
    assert run.samples["status"].tolist() == ["scored", "scored", "missing", "scored"]


@pytest.mark.parametrize("steps", [(1, 10), (2, 5, 10), (7, 10)])
def test_splitting_a_run_into_sessions_changes_nothing(fixtures, tmp_path, whole, steps):
    for limit in steps:
        _score(fixtures / "submissions" / "careful", fixtures / "testset", tmp_path / "run", limit=limit)
    _same(tmp_path / "run", whole)


def test_another_selection_of_metrics_does_not_mix_into_a_run(fixtures, tmp_path, careful):
    _score(careful, fixtures / "testset", tmp_path / "run", limit=1)
    before = (tmp_path / "run" / "samples.csv").read_bytes()
    with pytest.raises(RunError, match="metrics"):
        score(
            careful,
            testset=fixtures / "testset",
            recipe=Recipe(protocol="lite", metrics=METRICS[:1]),
            out=tmp_path / "run",
            limit=1,
        )
    assert (tmp_path / "run" / "samples.csv").read_bytes() == before
