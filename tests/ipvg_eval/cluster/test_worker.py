"""A worker without Ray: several calls at a time, whatever order the threads come in."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from ipvg_eval import load_submission, load_testset, score
from ipvg_eval.cluster.worker import Job, MeasuringWorker, Ready, Refused, listing_hash
from ipvg_eval.results.journal import Journal
from ipvg_eval.sandbox import ProcessLimits
from ipvg_eval.scoring import Recipe

FAST = ["lite_motion", "dynamic_degree_lite"]


@pytest.fixture(scope="module")
def testset(fixtures):
    return load_testset(fixtures / "testset")


@pytest.fixture(scope="module")
def expected(fixtures, tmp_path_factory):
    """Rows of a run without workers, without times."""
    out = tmp_path_factory.mktemp("local") / "run"
    score(
        fixtures / "submissions/careful",
        testset=fixtures / "testset",
        recipe=Recipe(protocol="lite", metrics=FAST),
        out=out,
    )
    rows = Journal(out / "journal.jsonl").read().values()
    return {row.sample: row.model_copy(update={"seconds": 0.0}) for row in rows}


def _job(fixtures, testset, decoders=2, **changes):
    submission = load_submission(fixtures / "submissions/careful")
    facts = {
        "submission": submission.address,
        "listing": listing_hash(submission),
        "testset": testset.root,
        "fingerprint": testset.fingerprint,
        "limits": ProcessLimits(),
        "decoders": decoders,
    }
    return Job(**{**facts, **changes})


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    recipe = Recipe(protocol="lite", metrics=FAST, device="cpu")
    worker = MeasuringWorker(recipe, str(tmp_path_factory.getbasetemp() / "not there"))
    yield worker
    worker.close()


@pytest.mark.parametrize(("decoders", "window"), [(1, 1), (3, 1), (1, 8), (2, 3)])
def test_any_number_of_calls_at_a_time_gives_the_same_rows(
    worker, fixtures, testset, expected, decoders, window
):
    assert isinstance(worker.open(_job(fixtures, testset, decoders)), Ready)
    worker._networks.window = window
    with ThreadPoolExecutor(len(testset.samples)) as callers:
        calls = [callers.submit(worker.measure, sample, None) for sample in testset.samples]
        rows = [call.result(timeout=300).row for call in calls]
    assert {row.sample: row.model_copy(update={"seconds": 0.0}) for row in rows} == expected


def test_a_row_that_is_up_to_date_is_not_measured_again(worker, fixtures, testset, expected):
    worker.open(_job(fixtures, testset))
    sample = testset.samples[0]
    assert worker.measure(sample, expected[sample.id]) is None
    changed = expected[sample.id].model_copy(update={"video_sha256": "0" * 64})
    assert worker.measure(sample, changed).row.video_sha256 == expected[sample.id].video_sha256


def test_a_scorer_that_cannot_be_built_is_refused_with_its_reason(tmp_path, monkeypatch):
    monkeypatch.setenv("IPVG_WEIGHTS_DIR", str(tmp_path))
    recipe = Recipe(protocol="ipvg", metrics=["imaging_quality"], device="cpu")
    refused = MeasuringWorker(recipe, str(tmp_path)).build()
    assert isinstance(refused, Refused)
    assert "weight is not on this machine" in refused.text
    assert "weights pull" in refused.hint
    assert refused.exit_code == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fingerprint": "other"}, "the test set differs"),
        ({"listing": "other"}, "the submission differs"),
        ({"submission": "/nowhere/careful"}, "does not exist"),
        ({"submission": "s4://bucket/careful"}, "nothing is known"),
    ],
)
def test_a_job_that_cannot_be_opened_is_refused_with_its_reason(worker, fixtures, testset, changes, message):
    refused = worker.open(_job(fixtures, testset, **changes))
    assert isinstance(refused, Refused)
    assert message in refused.text
    assert refused.hint
    assert refused.exit_code in (2, 3)
