"""Runs on real Ray workers: equal to local runs, and unharmed by workers that die."""

from __future__ import annotations

import os
import signal
import time
import zipfile

import numpy as np
import pytest
from deadly_protocol import PROTOCOL

from ipvg_eval import score
from ipvg_eval.cluster import ray_engine
from ipvg_eval.cluster.plan import Plan
from ipvg_eval.cluster.pool import WorkerPool
from ipvg_eval.core.budget import Budget
from ipvg_eval.core.errors import Unavailable, UsageError
from ipvg_eval.core.row import Status
from ipvg_eval.errors import RunError
from ipvg_eval.metrics.registry import EVALUATORS
from ipvg_eval.results.features import read_features
from ipvg_eval.scoring import Recipe

EQUAL = ("samples.parquet", "samples.csv", "frames.parquet", "summary.json", "summary.md", "summary.tex")
FAST = ["lite_motion", "dynamic_degree_lite"]


def _recipe(protocol="lite", *, metrics=None, frames=None, **options):
    return Recipe(protocol=str(protocol), metrics=metrics, frames=frames, **options)


def _same(one, other):
    for name in EQUAL:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    for kept in ("thumbnails", "features"):
        files = {path.relative_to(one) for path in (one / kept).rglob("*.*")}
        assert files == {path.relative_to(other) for path in (other / kept).rglob("*.*")}
        for path in files:
            assert (one / path).read_bytes() == (other / path).read_bytes(), path


@pytest.fixture(scope="module")
def local(fixtures, tmp_path_factory):
    """A run without Ray of every lite metric, three frames a video."""
    out = tmp_path_factory.mktemp("local") / "run"
    score(
        fixtures / "submissions/careful",
        testset=fixtures / "testset",
        recipe=Recipe(protocol="lite", frames=3),
        out=out,
    )
    return out


@pytest.fixture(scope="module")
def local_fast(fixtures, tmp_path_factory):
    """A run without Ray of the fastest metrics."""
    out = tmp_path_factory.mktemp("local") / "run"
    score(
        fixtures / "submissions/careful",
        testset=fixtures / "testset",
        recipe=Recipe(protocol="lite", metrics=FAST),
        out=out,
    )
    return out


@pytest.fixture(scope="module")
def pair(cluster):  # noqa: ARG001 - the engine finds it by itself
    """Two workers for every lite metric, three frames a video, for one submission after the other."""
    with ray_engine(_recipe(frames=3), workers=2) as engine:
        yield engine


def test_two_workers_give_what_one_machine_gives(pair, cluster, fixtures, tmp_path, local):
    run = score(
        fixtures / "submissions/careful", testset=fixtures / "testset", recipe=pair, out=tmp_path / "run"
    )
    _same(run.folder.path, local)
    workers = run.info.workers
    assert workers.engine == f"ray {cluster.__version__}"
    assert workers.count == sum(workers.devices.values()) == 2
    assert all(device.startswith("cpu, ") for device in workers.devices)


class _Stop(Exception):
    pass


@pytest.mark.parametrize("workers", [1, 7])
def test_the_number_of_workers_changes_nothing_and_an_error_leaves_none(
    cluster, fixtures, tmp_path, local_fast, workers
):
    careful, testset = fixtures / "submissions/careful", fixtures / "testset"

    def stop(_):
        raise _Stop

    def both():
        with ray_engine(_recipe(metrics=FAST), workers=workers) as engine:
            pools.append(engine.pool)
            score(careful, testset=testset, recipe=engine, decoders=1, out=tmp_path / "run")
            score(careful, testset=testset, recipe=engine, out=tmp_path / "stopped", on_sample=stop)

    pools = []
    with pytest.raises(_Stop):
        both()
    _same(tmp_path / "run", local_fast)
    assert (tmp_path / "stopped/journal.jsonl").read_bytes().count(b"\n") == 1
    for worker in pools[0].workers:
        with pytest.raises(cluster.exceptions.RayActorError):
            _ask_until_it_has_ended(cluster, worker)


def _ask_until_it_has_ended(ray, worker):
    """Ray ends a worker some time after it was told to: until then it may still answer."""
    give_up = time.monotonic() + 120
    while time.monotonic() < give_up:
        ray.get(worker.actor.hello.remote(), timeout=60)


def test_a_run_may_go_on_with_and_without_workers(pair, fixtures, tmp_path, local):
    careful, testset, out = fixtures / "submissions/careful", fixtures / "testset", tmp_path / "run"
    measured = []

    def count(done):
        measured.append(done.measured)

    score(careful, testset=testset, recipe=pair, out=out, limit=3)
    score(
        careful, testset=testset, recipe=Recipe(protocol="lite", frames=3), out=out, limit=5, on_sample=count
    )
    assert sorted(measured) == [False] * 3 + [True] * 2
    measured.clear()
    score(careful, testset=testset, recipe=pair, out=out, on_sample=count)
    assert sorted(measured) == [False] * 5 + [True] * 5
    _same(out, local)


def test_workers_open_a_url_by_themselves(pair, bucket, fixtures, tmp_path, local):
    run = score(bucket, testset=fixtures / "testset", recipe=pair, out=tmp_path / "run")
    assert run.info.submission.name == "careful"
    _same(tmp_path / "run", local)


def test_missing_and_broken_videos_are_the_same_rows(pair, careful, fixtures, tmp_path):
    (careful / "id001/prompt1.mp4").unlink()
    (careful / "id001/prompt2.mp4").write_bytes(b"not a video")
    (careful / "id001/prompt3.mp4").write_bytes(b"")
    whole = (careful / "id001/prompt4.mp4").read_bytes()
    (careful / "id001/prompt4.mp4").write_bytes(whole[: len(whole) * 2 // 3])
    archive = tmp_path / "careful.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for video in sorted(careful.rglob("*.mp4")):
            file.write(video, video.relative_to(careful).as_posix())
    score(
        archive,
        testset=fixtures / "testset",
        recipe=Recipe(protocol="lite", frames=3),
        out=tmp_path / "local",
    )
    run = score(archive, testset=fixtures / "testset", recipe=pair, out=tmp_path / "ray")
    assert run.samples["status"].tolist()[:4] == ["missing", "undecodable", "undecodable", "scored"]
    _same(tmp_path / "ray", tmp_path / "local")


def test_a_worker_that_sees_other_files_refuses_to_measure(pair, careful, fixtures, tmp_path):
    from ipvg_eval.submission import load_submission

    seen = load_submission(careful)
    (careful / "id001/prompt1.mp4").write_bytes(b"changed since")
    with pytest.raises(Unavailable, match="the submission differs from the one") as caught:
        score(seen, testset=fixtures / "testset", recipe=pair, out=tmp_path / "run", limit=1)
    assert "every node" in caught.value.hint.lower()


@pytest.fixture(autouse=True)
def _deadly_is_known(monkeypatch):
    """In this process for one test only: others look at every evaluator there is."""
    monkeypatch.setitem(EVALUATORS, "deadly", "deadly_evaluator:Deadly")


def _deadly(tmp_path, *, always="", once=""):
    memory = tmp_path / "memory"
    memory.mkdir()
    protocol = tmp_path / "deadly.yaml"
    protocol.write_text(PROTOCOL.format(always=always, once=once, memory=memory))
    return protocol, memory


def _harmless(tmp_path):
    protocol = tmp_path / "harmless.yaml"
    protocol.write_text(PROTOCOL.format(always="", once="", memory=tmp_path))
    return str(protocol)


def _attempts(memory, sample):
    files = memory.glob(f"{sample.replace('/', '-')}.*[0-9]")
    return sorted(path.read_text().count("attempt") for path in files)


@pytest.mark.usefixtures("cluster")
def test_a_sample_that_killed_its_worker_once_is_scored_in_the_end(fixtures, tmp_path):
    unlucky = "id001/prompt3"
    protocol, memory = _deadly(tmp_path, once=unlucky)
    with ray_engine(_recipe(protocol), workers=2) as engine:
        run = score(
            fixtures / "submissions/careful",
            testset=fixtures / "testset",
            recipe=engine,
            out=tmp_path / "run",
            limit=5,
        )
    assert (run.samples["status"] == "scored").all()
    assert len(run.samples) == 5
    assert _attempts(memory, unlucky) == [1, 1]


@pytest.mark.usefixtures("cluster")
def test_a_sample_that_always_kills_its_worker_is_given_up_and_the_others_are_scored(fixtures, tmp_path):
    guilty = "id001/prompt2"
    protocol, memory = _deadly(tmp_path, always=guilty)
    with ray_engine(_recipe(protocol), workers=2) as engine:
        run = score(
            fixtures / "submissions/careful",
            testset=fixtures / "testset",
            recipe=engine,
            out=tmp_path / "run",
        )
        (memory / "cured").touch()
        measured = []
        again = score(
            fixtures / "submissions/careful",
            testset=fixtures / "testset",
            recipe=engine,
            out=tmp_path / "run",
            on_sample=lambda done: measured.append(done.row.sample) if done.measured else None,
        )
    assert measured == [guilty], "what was given up is tried again by the next command"
    assert (again.samples["status"] == "scored").all()
    rows = run.samples.set_index("sample")
    assert rows.loc[guilty, "status"] == "crashed"
    assert "died" in rows.loc[guilty, "reason"]
    others = rows.drop(guilty)
    assert len(others) == 9
    assert (others["status"] == "scored").all()
    assert (others["frames_seen"] == 4).all()
    assert (run.summary.counts.failed, run.summary.counts.scored) == (1, 9)
    attempts = _attempts(memory, guilty)
    assert set(attempts) == {1}, "a worker of its own for each attempt"
    assert len(attempts) == 3
    alone = score(
        fixtures / "submissions/careful",
        testset=fixtures / "testset",
        protocol=_harmless(tmp_path),
        out=tmp_path / "alone",
    )
    for sample in others.index:
        kept, expected = (read_features(r.folder.features(sample))["frames_seen"] for r in (run, alone))
        assert kept.indices == expected.indices == (0, 1, 2, 3)
        assert np.array_equal(kept.rows, expected.rows)


def test_a_killed_worker_process_costs_no_sample(pair, cluster, fixtures, tmp_path, local):
    """Any worker may be killed from outside at any moment, here after the third sample."""
    victims = []

    def kill_one(done):
        if done.done == 3:
            actor = pair.pool.workers[0].actor
            victims.append(cluster.get(actor.__ray_call__.remote(lambda _: os.getpid()), timeout=120))
            os.kill(victims[0], signal.SIGKILL)

    run = score(
        fixtures / "submissions/careful",
        testset=fixtures / "testset",
        recipe=pair,
        out=tmp_path / "run",
        on_sample=kill_one,
    )
    assert len(victims) == 1
    assert run.summary.counts.scored == 10
    _same(tmp_path / "run", local)


@pytest.mark.usefixtures("cluster")
def test_workers_that_keep_dying_at_the_start_end_the_command():
    class Unlucky(Recipe):
        def build(self):
            os.kill(os.getpid(), signal.SIGKILL)

    unlucky = Unlucky(protocol="lite", metrics=FAST)
    with pytest.raises(Unavailable, match="3 workers in a row died"), ray_engine(unlucky, workers=1):
        pass


def test_a_place_in_the_cluster_is_waited_for_with_patience_only(cluster):
    """Nine of eight cores: as good as a cluster that others use without end."""
    plan = Plan(workers=1, fitting=1, gpus=0, device="cpu", cpus=9)
    said = []
    pool = WorkerPool(cluster, _recipe(metrics=FAST), plan, patience=0.1, say=said.append)
    with pytest.raises(Unavailable, match="no worker got a place") as caught:
        pool.start()
    pool.dismiss()
    assert "ray status" in caught.value.hint


@pytest.mark.usefixtures("cluster")
def test_more_gpus_than_there_are_is_an_error_at_once():
    with (
        pytest.raises(Unavailable, match="no worker fits"),
        ray_engine(_recipe(metrics=FAST), gpus_per_worker=1),
    ):
        pass
    with pytest.raises(UsageError), ray_engine(_recipe(metrics=FAST), workers=0):
        pass


def test_a_run_of_other_metrics_is_not_mixed_into(pair, fixtures, tmp_path):
    careful, testset, out = fixtures / "submissions/careful", fixtures / "testset", tmp_path / "run"
    score(
        careful, testset=testset, recipe=Recipe(protocol="lite", metrics=FAST[:1], frames=3), out=out, limit=1
    )
    with pytest.raises(RunError, match="metrics"):
        score(careful, testset=testset, recipe=pair, out=out, limit=1)


def test_a_budget_that_is_used_up_leaves_the_rest_with_the_reason(pair, fixtures, tmp_path):
    careful, testset, out = fixtures / "submissions/careful", fixtures / "testset", tmp_path / "run"
    run = score(careful, testset=testset, recipe=pair, out=out, decoders=1, budget=Budget(pixels=1))
    rows = list(run.folder.journal.read().values())
    scored = [row for row in rows if row.status is Status.SCORED]
    # Whatever was in hand when the first came back is finished.
    assert 1 <= len(scored) < len(rows) == 10
    for row in rows:
        assert row in scored or "more pixels than its budget of 1" in row.reason
    assert run.info.budget == Budget(pixels=1).for_samples(10)
