"""A submission beyond its budget: what is left is missing with the reason, what is written stays."""

from __future__ import annotations

import json

import pytest

from ipvg_eval import Recipe, score
from ipvg_eval.core.budget import Budget
from ipvg_eval.core.row import Status
from ipvg_eval.decoding import DecoderProcess
from ipvg_eval.results import load_run
from ipvg_eval.scoring.prepare import Preparation
from ipvg_eval.validation import validate

METRICS = ["lite_motion"]


@pytest.fixture(scope="module")
def whole(fixtures, tmp_path_factory):
    """A run within its budget."""
    out = tmp_path_factory.mktemp("whole") / "run"
    return _score(fixtures, out)


def _score(fixtures, out, **options):
    submission, testset = fixtures / "submissions" / "careful", fixtures / "testset"
    recipe = Recipe(protocol="lite", metrics=METRICS)
    return score(submission, testset=testset, recipe=recipe, out=out, **options)


def _rows(run):
    return list(run.folder.journal.read().values())


def _room_for(rows, count):
    """Pixels that hold the first so many videos and not the next."""
    return sum(row.pixels for row in rows[:count]) + rows[count].pixels - 1


def test_the_default_is_recorded_and_goes_by_the_test_set(whole):
    assert whole.info.counts.samples == 10
    assert whole.info.budget == Budget().for_samples(10)
    assert json.loads((whole.folder.path / "run.json").read_text())["budget"]["seconds"] == 400


@pytest.mark.parametrize("decoders", [1, 3])
def test_the_same_samples_are_refused_however_many_decode(fixtures, tmp_path, whole, decoders):
    rows = _rows(whole)
    budget, shares = Budget(pixels=_room_for(rows, 4)), []

    def keep(done):
        shares.append(done.budget)

    run = _score(fixtures, tmp_path, budget=budget, decoders=decoders, on_sample=keep)
    scored = [row.sample for row in _rows(run) if row.status is Status.SCORED]
    assert scored == [row.sample for row in rows[:4]]
    assert [row.measurements for row in _rows(run)[:4]] == [row.measurements for row in rows[:4]]
    for row in _rows(run)[4:]:
        assert [m.value for m in row.measurements] == [None]
        assert f"more pixels than its budget of {budget.pixels:,}" in row.reason
    assert shares == sorted(shares)
    assert shares[3] < 1 < shares[-1]


def test_a_larger_budget_goes_on_and_gives_the_whole_run(fixtures, tmp_path, whole):
    rows = _rows(whole)
    _score(fixtures, tmp_path, budget=Budget(pixels=_room_for(rows, 4)))
    measured = []
    run = _score(fixtures, tmp_path, on_sample=lambda done: measured.append(done.measured))
    assert measured == [False] * 4 + [True] * 6
    for name in ("samples.parquet", "summary.json", "frames.parquet"):
        assert (tmp_path / name).read_bytes() == (whole.folder.path / name).read_bytes()
    assert run.info.budget == whole.info.budget


def test_a_smaller_budget_takes_nothing_back(fixtures, tmp_path):
    _score(fixtures, tmp_path)
    before = (tmp_path / "journal.jsonl").read_bytes()
    for budget in (Budget(pixels=1), Budget(bytes=1), Budget(seconds=1e-9)):
        run = _score(fixtures, tmp_path, budget=budget)
        assert (tmp_path / "journal.jsonl").read_bytes() == before
        assert run.info.counts.scored == 10


def test_what_is_beyond_the_bytes_is_not_even_opened(fixtures, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(Preparation, "_opened", lambda _self, sample, _: opened.append(sample.id))
    run = _score(fixtures, tmp_path, budget=Budget(bytes=1))
    assert opened == []
    assert {row.status for row in _rows(run)} == {Status.CRASHED}
    assert "larger than its budget of 1 bytes" in _rows(run)[0].reason


def test_time_is_counted_while_a_process_is_waited_for(fixtures, tmp_path):
    """The first video always begins; one process that waits for one video at a time leaves the rest."""
    run = _score(fixtures, tmp_path, budget=Budget(seconds=1e-9), decoders=1)
    statuses = [row.status for row in _rows(run)]
    assert statuses == [Status.SCORED] + [Status.CRASHED] * 9
    assert "took longer than its budget" in _rows(run)[-1].reason
    video = fixtures / "submissions" / "careful" / "id001" / "prompt1.mp4"
    with DecoderProcess() as decoder:
        decoder.open(video)
        assert decoder.waited > 0


def test_the_command_exits_4_and_names_the_reason(command, fixtures, tmp_path):
    words = ("score", fixtures / "submissions" / "careful", "--testset", fixtures / "testset")
    words += ("--protocol", "lite", "--metrics", "lite_motion", "--out", tmp_path / "run")
    done = command(*words, "--budget", "pixels=1")
    assert done.returncode == 4, done.stderr
    assert "more pixels than its budget of 1" in " ".join(done.stderr.split())
    assert load_run(tmp_path / "run").info.budget == Budget(pixels=1).for_samples(10)
    assert command(*words, "--budget", "hours=1").returncode == 2
    assert command(*words).returncode == 0


def test_validation_has_the_same_budget(fixtures, command):
    submission, testset = fixtures / "submissions" / "careful", fixtures / "testset"
    report = validate(submission, testset, budget=Budget(bytes=1))
    assert {finding.code for finding in report.errors} == {"budget-used-up"}
    assert len(report.errors) == report.expected == 10
    assert validate(submission, testset).ok
    done = command("validate", submission, "--testset", testset, "--budget", "bytes=1")
    assert done.returncode == 1
    assert "larger than its budget of 1 bytes" in " ".join(done.stdout.split())


def test_an_audit_has_it_too(fixtures, command):
    submission, testset = fixtures / "submissions" / "careful", fixtures / "testset"
    words = ("audit", submission, "--testset", testset, "--no-faces", "--json", "--budget", "bytes=1")
    done = command(*words)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("larger than its budget of 1 bytes") == 10
