"""Seeds, hashes and shards."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.reference_generator.errors import OutputInUse, SettingsError, UnreadableReference
from ipvg_eval.reference_generator.job import Job, Shard, job_hash, sample_seed, seed_of
from ipvg_eval.reference_generator.plan import make_plan
from ipvg_eval.reference_generator.preset import load_settings
from ipvg_eval.reference_generator.ranks import Ranks, loading_turn
from ipvg_eval.reference_generator.record import Record, record_path, write_record


def test_a_seed_depends_on_sample_and_base_alone():
    digest = hashlib.sha256(b"2025\0id001/prompt1").digest()
    assert seed_of(2025, "id001/prompt1") == int.from_bytes(digest[:8], "big") // 2
    assert 0 <= seed_of(0, "x") < 2**63
    assert sample_seed(load_settings("tiny"), "x") == seed_of(2025, "x")
    assert sample_seed(load_settings("tiny", ["sampling.same_seed=true"]), "x") == 2025
    assert len({seed_of(base, f"s{n}") for base in range(5) for n in range(200)}) == 1000


def test_the_hash_changes_with_everything_that_changes_the_video(jobs):
    job, system = jobs[0], load_settings("vace-1.3b")
    base = job_hash(system, job, "r1")
    assert base == job_hash(system, replace(job, video="elsewhere.mp4"), "r1")
    others = [
        job_hash(load_settings("vace-1.3b", [change]), job, "r1")
        for change in ("sampling.steps=49", "sampling.seed=1", "video.crf=18", "identity.scale=0.5")
    ]
    others += [
        job_hash(system, replace(job, given=("she walks",)), "r1"),
        job_hash(system, job, "r2"),
        job_hash(system, replace(job, prompt="else"), "r1"),
        job_hash(system, replace(job, id="else"), "r1"),
        job_hash(system, replace(job, timeline="0-1s: x"), "r1"),
    ]
    job.references[0].write_bytes(b"other bytes")
    others.append(job_hash(system, job, "r1"))
    assert len({base, *others}) == len(others) + 1


@pytest.mark.parametrize(
    "change",
    ["runtime.device=cuda:1", "runtime.offload=model", "runtime.tflops=1", "prompt.timeout=1", "title=x"],
)
def test_the_hash_does_not_change_with_where_it_runs(jobs, change):
    base = job_hash(load_settings("vace-1.3b"), jobs[0], "r")
    assert job_hash(load_settings("vace-1.3b", [change]), jobs[0], "r") == base


def test_a_reference_that_cannot_be_opened_is_named(jobs):
    jobs[0].references[0].unlink()
    with pytest.raises(UnreadableReference, match=r"image\.png"):
        job_hash(load_settings("tiny"), jobs[0], "r")


@given(count=st.integers(1, 9), size=st.integers(0, 40))
@settings(deadline=None, max_examples=50)
def test_shards_divide_the_jobs(count, size):
    everything = [Job(id=str(n), prompt="p", references=(), video=f"{n}.mp4") for n in range(size)]
    parts = [Shard.parse(f"{n}/{count}").of(everything) for n in range(1, count + 1)]
    assert sorted((job for part in parts for job in part), key=lambda job: int(job.id)) == everything
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "1/0", "a/b", "-1/2", ""])
def test_a_wrong_shard_is_refused(text):
    with pytest.raises(SettingsError, match="no shard"):
        Shard.parse(text)


def test_the_shard_comes_from_rank_and_world_size(monkeypatch):
    assert Shard.from_environment() == Shard(index=0, count=1)
    monkeypatch.setenv("RANK", "2")
    with pytest.raises(SettingsError, match="WORLD_SIZE=None"):
        Shard.from_environment()
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert Shard.from_environment() == Shard(index=2, count=4)
    monkeypatch.setenv("RANK", "4")
    with pytest.raises(SettingsError, match="outside"):
        Shard.from_environment()


def plan(jobs, out, **options):
    given = {"revision": "r", "shard": Shard(), "overwrite": False, **options}
    return make_plan(jobs, load_settings("tiny"), out, **given)


def finish(job, out, hash_, content=b"video"):
    video = out / job.video
    video.parent.mkdir(parents=True, exist_ok=True)
    video.write_bytes(content)
    record = Record(
        sample=job.id,
        video=job.video,
        status="made",
        hash=hash_,
        video_sha256=hashlib.sha256(b"video").hexdigest(),
        preset="tiny",
        tiny=True,
        seed=1,
        prompt=job.prompt,
    )
    write_record(record_path(out, job), record)


def test_a_finished_video_is_left_alone(jobs, tmp_path):
    out = tmp_path / "out"
    hashes = {job.id: hash_ for job, hash_ in plan(jobs, out).pending}
    finish(jobs[0], out, hashes[jobs[0].id])
    again = plan(jobs, out)
    assert again.finished == 1
    assert [job.id for job, _ in again.pending] == [job.id for job in jobs[1:]]


def test_a_record_without_its_video_counts_for_nothing(jobs, tmp_path):
    out = tmp_path / "out"
    finish(jobs[0], out, plan(jobs, out).pending[0][1])
    (out / jobs[0].video).unlink()
    assert len(plan(jobs, out).pending) == 3


@pytest.mark.parametrize("case", ["other settings", "other bytes", "no record"])
def test_videos_of_somebody_else_are_not_overwritten_unasked(jobs, tmp_path, case):
    out = tmp_path / "out"
    right = plan(jobs, out).pending[0][1]
    finish(
        jobs[0], out, "else" if case == "other settings" else right, b"else" if "bytes" in case else b"video"
    )
    if case == "no record":
        record_path(out, jobs[0]).unlink()
    with pytest.raises(OutputInUse, match=r"1 videos .*prompt1\.mp4"):
        plan(jobs, out)
    assert len(plan(jobs, out, overwrite=True).pending) == 3


def test_two_samples_never_share_a_file(jobs, tmp_path):
    with pytest.raises(SettingsError, match="cannot be written"):
        plan([jobs[0], replace(jobs[1], video=jobs[0].video)], tmp_path)
    with pytest.raises(SettingsError, match="cannot be written"):
        plan([replace(jobs[1], video="../x.mp4")], tmp_path)
    with pytest.raises(SettingsError, match="nothing to generate"):
        plan([], tmp_path)


SLURM = {"SLURM_PROCID": "5", "SLURM_STEP_NUM_TASKS": "8", "SLURM_LOCALID": "1"}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, (0, 1, 0)),
        (SLURM, (5, 8, 1)),
        ({**SLURM, "RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "0"}, (1, 2, 0)),
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "8"}, (0, 1, 0)),  # a batch script, without srun
        ({"LOCAL_RANK": "3"}, (0, 1, 3)),
    ],
)
def test_torchrun_and_slurm_say_which_process_this_is(monkeypatch, environment, expected):
    for name in (*SLURM, "RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ranks = Ranks.from_environment()
    assert (ranks.rank, ranks.count, ranks.local) == expected
    assert Shard.from_environment() == Shard(index=expected[0], count=expected[1])


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")
def test_weights_are_loaded_by_one_process_after_the_other(tmp_path, monkeypatch):
    """Another process holds the turn; this one's begins when that one has ended."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code = (
        "import sys; from ipvg_eval.reference_generator.ranks import loading_turn\n"
        "with loading_turn('test'):\n"
        "    print('loading', flush=True); sys.stdin.readline(); print('loaded', flush=True)"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    order = []
    with subprocess.Popen([sys.executable, "-c", code], env=environment, **pipes) as other:
        order.append(other.stdout.readline().strip())

        def mine():
            with loading_turn("test"):
                order.append("mine")

        thread = threading.Thread(target=mine)
        thread.start()
        order.append("waiting")
        other.stdin.write("\n")
        other.stdin.flush()
        order.append(other.stdout.readline().strip())
        thread.join()
    assert order in (["loading", "waiting", "loaded", "mine"], ["loading", "waiting", "mine", "loaded"])
    assert order.index("mine") > order.index("waiting")
