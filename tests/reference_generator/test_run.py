"""Whole runs on tiny models: files, records, failures, resuming, sharding."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from ipvg_eval.reference_generator.errors import ModelsMissing, OutputUnusable, SameFailureAgain
from ipvg_eval.reference_generator.job import Job, Shard, seed_of
from ipvg_eval.reference_generator.overview import save_strip
from ipvg_eval.reference_generator.preset import load_settings
from ipvg_eval.reference_generator.record import read_record, record_path, records_folder
from ipvg_eval.reference_generator.run import generate
from ipvg_eval.reference_generator.stopping import stop_on_interrupt
from ipvg_eval.reference_generator.system_loading import load_system
from ipvg_eval.reference_generator.systems.system import VideoSystem
from ipvg_eval.reference_generator.task import Clip
from ipvg_eval.reference_generator.video_file import write_mp4


@pytest.fixture
def tiny(fast):
    return load_settings("tiny", fast)


def test_a_video_is_h264_that_plays_before_its_end(tmp_path):
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (9, 64, 96, 3), dtype=np.uint8)
    path = tmp_path / "v.mp4"
    write_mp4(path, pictures, fps=24)
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height, stream.average_rate) == (96, 64, 24)
        assert sum(1 for _ in file.decode(video=0)) == 9
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    write_mp4(tmp_path / "again.mp4", pictures, fps=24)
    assert (tmp_path / "again.mp4").read_bytes() == data


def test_equal_pictures_are_equal_bytes_wherever_buffers_lie_in_memory(tmp_path):
    """With x264's macroblock tree, about one in twenty of these differs."""
    rng, seen = np.random.default_rng(3), set()
    pictures = rng.integers(100, 150, (5, 64, 64, 3)).astype(np.uint8)
    for _ in range(100):
        held = [np.ones(int(size), np.uint8) for size in rng.integers(1, 200_000, 20)]
        del held[::2]
        write_mp4(tmp_path / "v.mp4", pictures, fps=16)
        seen.add((tmp_path / "v.mp4").read_bytes())
    assert len(seen) == 1


def test_a_video_shows_the_pictures(tmp_path):
    ramp = np.linspace(0, 255, 96).astype(np.uint8)
    pictures = np.broadcast_to(ramp[None, None, :, None], (5, 64, 96, 3))
    write_mp4(tmp_path / "v.mp4", pictures, fps=16, crf=10)
    assert np.abs(_pictures(tmp_path / "v.mp4") - pictures).mean() < 3


@pytest.mark.parametrize("shape", [(0, 64, 64, 3), (5, 63, 64, 3), (5, 64, 65, 3)])
def test_what_is_no_video_is_refused(tmp_path, shape):
    with pytest.raises(ValueError, match="make no yuv420p video"):
        write_mp4(tmp_path / "v.mp4", np.zeros(shape, dtype=np.uint8), fps=16)


def test_every_job_gets_its_video_and_record(jobs, tiny, tmp_path, files):
    out, steps = tmp_path / "out", []
    outcome = generate(jobs, tiny, out, on_progress=steps.append)
    assert [record.sample for record in outcome.made] == [job.id for job in jobs]
    assert (outcome.failed, outcome.finished_before) == ((), 0)
    assert set(files(out)) == {job.video for job in jobs}
    videos = [step for step in steps if step.stage == "videos"]
    told = [(step.done, step.step, step.total) for step in videos]
    assert told == [(0, (1, 1), 3), (1, None, 3), (1, (1, 1), 3), (2, None, 3), (2, (1, 1), 3), (3, None, 3)]
    assert videos[0].seconds_left > 0 == videos[-1].seconds_left
    record = read_record(record_path(out, jobs[0]))
    assert (record.status, record.prompts, record.frames) == ("made", ("a woman walks",), 5)
    assert (record.tiny, record.preset) == (True, "tiny")
    with av.open(str(out / jobs[0].video)) as file:
        assert "tiny random models" in file.metadata["comment"]
    assert record.seed == seed_of(2025, jobs[0].id)
    assert record.revisions["video"].startswith("tiny-")
    assert record.seconds["videos"] > 0
    assert (records_folder(out) / "run.json").exists()


def test_equal_runs_and_any_sharding_give_equal_files(jobs, tiny, tmp_path, files):
    generate(jobs, tiny, tmp_path / "one")
    for index in range(2):
        generate(jobs, tiny, tmp_path / "two", shard=Shard(index=index, count=2))
    assert files(tmp_path / "one") == files(tmp_path / "two")
    videos = list(files(tmp_path / "one").values())
    assert len(set(videos)) == len(videos)


def test_seeds_change_the_videos(jobs, fast, tmp_path, files):
    for seed in (1, 2):
        generate(jobs[:1], load_settings("tiny", [*fast, f"sampling.seed={seed}"]), tmp_path / str(seed))
    assert files(tmp_path / "1") != files(tmp_path / "2")


def test_a_second_run_makes_only_what_is_missing(jobs, tiny, tmp_path, files):
    out = tmp_path / "out"
    generate(jobs, tiny, out)
    before = files(out)
    (out / jobs[1].video).unlink()

    loaded = []

    def load(settings, found):
        loaded.append(settings)
        return load_system(settings, found)

    again = generate(jobs, tiny, out, load=load)
    assert ([record.sample for record in again.made], again.finished_before) == ([jobs[1].id], 2)
    assert files(out) == before
    assert len(loaded) == 1
    assert generate(jobs, tiny, out, load=load).finished_before == 3
    assert len(loaded) == 1, "nothing to do must load nothing"


# The padding fills the pipe after a few steps: the run waits for its reader, however late that comes.
_RUN = """
import sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from ipvg_eval.reference_generator.job import Job
from ipvg_eval.reference_generator.preset import load_settings
from ipvg_eval.reference_generator.run import generate
root, out = Path(sys.argv[1]), Path(sys.argv[2])
jobs = [Job(id=str(n), prompt="a man walks", references=(root,), video=f"{n}.mp4") for n in range(40)]
settings = load_settings("tiny", sys.argv[3:])
print("ready", flush=True)
generate(jobs, settings, out, on_progress=lambda step: print(step.stage, step.done, " " * 8192, flush=True))
"""


def test_a_killed_run_leaves_whole_videos_and_goes_on(jobs, tiny, tmp_path, files, fast):
    out, reference = tmp_path / "out", jobs[0].references[0]
    process = subprocess.Popen(
        [sys.executable, "-c", _RUN, str(reference), str(out), *fast],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    with process:
        for line in process.stdout:
            if line.startswith("videos 2"):
                time.sleep(0.05)
                process.send_signal(signal.SIGKILL)
                break
    left = files(out)
    assert 2 <= len(left) < 40
    assert all(len(_pictures(out / name)) == 5 for name in left)
    names = [f"{n}.mp4" for n in range(len(left) + 1)]
    rest = [replace(jobs[0], id=name[:-4], prompt="a man walks", video=name) for name in names]
    after = generate(rest, tiny, out)
    assert after.finished_before == len(left)
    assert set(files(out)) == set(names)
    assert {name: files(out)[name] for name in left} == left, "what was made before must stay"
    fresh = tmp_path / "fresh"
    generate(rest, tiny, fresh)
    assert files(fresh)[names[-1]] == files(out)[names[-1]]
    # Two processes may round otherwise, and a picture's step of 1 becomes other bytes. Other noise is 2 away.
    anew = {name: _pictures(fresh / name) for name in names}
    for name in left:
        made = _pictures(out / name)
        apart = {other: np.abs(made - pictures).mean() for other, pictures in anew.items()}
        assert min(apart, key=apart.__getitem__) == name
        assert apart[name] < 0.5


def _pictures(path):
    with av.open(str(path)) as file:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]).astype(int)


def test_bad_samples_are_recorded_and_the_others_made(jobs, tiny, tmp_path, files):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG no picture")
    bad = [
        replace(jobs[0], id="a", video="a.mp4", references=(broken,)),
        replace(jobs[0], id="b", video="b.mp4", references=(tmp_path / "none.png",)),
        replace(jobs[0], id="c", video="c.mp4", prompt="  "),
        replace(jobs[0], id="d", video="d.mp4", timeline="no event here"),
        replace(jobs[0], id="e", video="e.mp4", timeline="3-1s: backwards"),
    ]
    out = tmp_path / "out"
    outcome = generate([*bad, jobs[2]], tiny, out)
    assert set(files(out)) == {jobs[2].video}
    reasons = {record.sample: record.reason for record in outcome.failed}
    assert "cannot be read" in reasons["a"]
    assert "cannot be opened" in reasons["b"]
    assert "prompt is empty" in reasons["c"]
    assert "no event" in reasons["d"]
    assert "it ends at 1 s, not after it starts at 3 s" in reasons["e"]
    assert {record.kind for record in outcome.failed} == {"input"}
    for job in bad:
        assert read_record(record_path(out, job)).status == "failed"
    assert generate([*bad, jobs[2]], tiny, out).finished_before == 1


class _Fragile(VideoSystem):
    """Runs out of memory on the first sample and breaks on the second."""

    def __init__(self):
        self.calls = 0

    def make(self, _):
        import torch

        self.calls += 1
        if self.calls == 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 8 GiB")
        if self.calls == 2:
            raise RuntimeError("something broke")
        return Clip(pictures=np.zeros((5, 64, 64, 3), dtype=np.uint8))

    def _pass(self, task, part, known, options):
        raise NotImplementedError


def test_out_of_memory_and_errors_of_one_sample_do_not_end_the_run(jobs, tiny, tmp_path, files):
    out = tmp_path / "out"
    outcome = generate(jobs, tiny, out, load=lambda *_: _Fragile())
    assert [record.kind for record in outcome.failed] == ["out-of-memory", "error"]
    assert outcome.failed[1].reason == "RuntimeError: something broke"
    assert set(files(out)) == {jobs[2].video}


class _Broken(_Fragile):
    """Fails as it is told, once for each word."""

    def __init__(self, *reasons):
        super().__init__()
        self.reasons = reasons

    def make(self, _):
        self.calls += 1
        if (reason := self.reasons[(self.calls - 1) % len(self.reasons)]) is not None:
            raise RuntimeError(f"{reason} at 0x7f{self.calls}")
        return Clip(pictures=np.zeros((5, 64, 64, 3), dtype=np.uint8))


def many(jobs, count):
    return [replace(jobs[0], id=str(n), video=f"{n}.mp4") for n in range(count)]


def test_three_equal_failures_in_a_row_stop_the_run(jobs, tiny, tmp_path):
    out, system = tmp_path / "out", _Broken("it broke")
    with pytest.raises(SameFailureAgain, match="3 samples in a row failed alike") as raised:
        generate(many(jobs, 9), tiny, out, load=lambda *_: system)
    assert raised.value.exit_code == 4
    assert system.calls == 3
    kept = [read_record(record_path(out, job)) for job in many(jobs, 4)]
    assert [record and record.status for record in kept] == ["failed", "failed", "failed", None]


@pytest.mark.parametrize("reasons", [("one", "other"), ("one", "one", None), ("one", "one", "other")])
def test_failures_that_differ_or_do_not_follow_each_other_do_not_stop_it(jobs, tiny, tmp_path, reasons):
    outcome = generate(many(jobs, 6), tiny, tmp_path / "out", load=lambda *_: _Broken(*reasons))
    assert len(outcome.made) + len(outcome.failed) == 6


def test_bad_samples_never_stop_the_run(jobs, tiny, tmp_path):
    bad = [replace(job, prompt=" ") for job in many(jobs, 5)]
    assert len(generate(bad, tiny, tmp_path / "out").failed) == 5


def outputs_that_cannot_be_filled(root):
    file = root / "file"
    file.write_bytes(b"mine")
    yield file, "is a file"
    yield file / "x", "lies under the file"
    yield root / "testset", "into the test set"
    yield root / "testset" / "new", "into the test set"
    if sys.platform == "linux":
        yield Path("/proc/submission"), "nothing can be written there"


def test_an_output_that_cannot_be_filled_is_refused_before_a_model_is_loaded(jobs, tiny, tmp_path, files):
    loaded = []
    for out, reason in outputs_that_cannot_be_filled(tmp_path):
        before = files(tmp_path)
        with pytest.raises(OutputUnusable, match=reason) as raised:
            generate(jobs, tiny, out, testset=tmp_path / "testset", load=lambda *_: loaded.append(1))
        assert raised.value.exit_code == 2
        assert files(tmp_path) == before
    assert not loaded


def test_too_little_space_is_refused_with_how_much_is_needed(jobs, tmp_path):
    size = ("video.width=81920", "video.height=81920", "video.frames=400001")
    settings = load_settings("tiny", size)
    # 3 x 81920^2 x 400001 pixels x 0.4 bits
    with pytest.raises(OutputUnusable, match=r"3 videos take about 402654\.\d GB and"):
        generate(jobs, settings, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_output_that_breaks_on_the_way_ends_the_run_at_once(jobs, tiny, tmp_path):
    out = tmp_path / "out"

    class Breaking(_Fragile):
        def make(self, _):
            self.calls += 1
            if self.calls == 2:
                shutil.rmtree(out)
                out.write_bytes(b"a file now")
            return Clip(pictures=np.zeros((5, 64, 64, 3), dtype=np.uint8))

    system = Breaking()
    with pytest.raises(OutputUnusable, match="nothing can be written there"):
        generate(jobs, tiny, out, load=lambda *_: system)
    assert system.calls == 2


def test_a_grey_reference_of_16_bits_is_seen_as_it_is(tiny, tmp_path):
    """A ramp, which a plain conversion would cut at 255 and so turn white."""
    ramp = np.broadcast_to(np.linspace(0, 65535, 64).astype(np.uint16), (64, 64))
    path = tmp_path / "grey.png"
    Image.fromarray(ramp).save(path)
    seen = []

    class Watching(_Fragile):
        def make(self, task):
            seen.extend(task.references)
            return Clip(pictures=np.zeros((5, 64, 64, 3), dtype=np.uint8))

    job = Job(id="a", prompt="a man", references=(path,), video="a.mp4")
    generate([job], tiny, tmp_path / "out", load=lambda *_: Watching())
    expected = np.round(ramp / 257).astype(int)[..., None]
    assert np.abs(np.asarray(seen[0]).astype(int) - expected).max() <= 1


def test_steps_count_over_all_passes_of_a_video(jobs, fast, tmp_path):
    long = replace(jobs[0], timeline="0-0.2s: walks; 0.2-0.5s: sits")
    told = []
    settings = load_settings("tiny", [*fast, "sampling.steps=2"])
    generate([long], settings, tmp_path / "out", on_progress=told.append)
    # 9 frames of a rate of 16: 5 frames, then 4 after one known
    assert [step.step for step in told if step.step] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [step.through for step in told if step.stage == "videos"] == [0.25, 0.5, 0.75, 1.0, 1.0]


def test_a_page_about_the_run_grows_while_it_runs(jobs, tiny, tmp_path):
    out = tmp_path / "out"
    bad = replace(jobs[0], id="bad", video="bad.mp4", prompt="<b>&")
    empty = replace(jobs[0], id="empty", video="empty.mp4", prompt=" ")
    index, seen = records_folder(out) / "index.html", []

    def look(step):
        if step.stage == "videos" and step.step is None:
            seen.append(index.read_text())

    generate([bad, empty, jobs[2]], tiny, out, on_progress=look)
    assert "1 videos made, 1 failed; still running" in seen[0]
    last = index.read_text()
    assert "2 videos made, 1 failed; ended" in last
    assert last.index(">empty<") < last.index(">bad<"), "what failed comes first"
    assert "&lt;b&gt;&amp;" in last
    assert "<b>" not in last
    for link in re.findall(r'(?:src|href)="([^"]+)"', last):
        assert (index.parent / link).is_file()
    with Image.open(index.parent / "bad.jpg") as strip:
        assert strip.size == (4 * 160, 160)  # reference, first, middle and last, all square
    assert "refresh" in seen[0]
    assert "refresh" not in last


def test_a_strip_of_pictures_has_bounds(tmp_path):
    wide, still = Image.new("RGB", (20_000, 2)), np.zeros((64, 128, 3), dtype=np.uint8)
    save_strip(tmp_path / "a.json", [wide] * 200, [still] * 3)
    with Image.open(tmp_path / "a.jpg") as strip:
        assert strip.size == (9 * 480 + 3 * 320, 160)


def test_the_first_few_are_made_to_look_at_and_the_rest_later(jobs, tiny, tmp_path):
    out = tmp_path / "out"
    assert [record.sample for record in generate(jobs, tiny, out, first=1).made] == [jobs[0].id]
    rest = generate(jobs, tiny, out)
    assert (len(rest.made), rest.finished_before) == (2, 1)


def test_a_first_ctrl_c_finishes_the_video_at_hand_and_a_second_one_stops(jobs, tiny, tmp_path, files):
    class Interrupting(_Fragile):
        def __init__(self, times):
            super().__init__()
            self.times = times

        def make(self, _):
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)
            return Clip(pictures=np.zeros((5, 64, 64, 3), dtype=np.uint8))

    before, said = signal.getsignal(signal.SIGINT), []
    with stop_on_interrupt(lambda: said.append(1)) as stop:
        outcome = generate(jobs, tiny, tmp_path / "one", load=lambda *_: Interrupting(1), stop=stop)
    assert (len(outcome.made), outcome.stopped, said) == (1, True, [1])
    assert list(files(tmp_path / "one")) == [jobs[0].video]
    assert "ended" in (records_folder(tmp_path / "one") / "index.html").read_text()
    with pytest.raises(KeyboardInterrupt), stop_on_interrupt(lambda: None) as stop:
        generate(jobs, tiny, tmp_path / "two", load=lambda *_: Interrupting(2), stop=stop)
    assert files(tmp_path / "two") == {}
    assert signal.getsignal(signal.SIGINT) == before


def test_interrupting_is_not_a_failed_sample(jobs, tiny, tmp_path):
    class Interrupted(_Fragile):
        def make(self, _):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate(jobs, tiny, tmp_path / "out", load=lambda *_: Interrupted())
    assert read_record(record_path(tmp_path / "out", jobs[0])) is None


@pytest.mark.parametrize(("name", "most"), [("phantom-1.3b", 4), ("decoupled-a14b", 1), ("vace-1.3b", None)])
def test_no_more_references_are_used_than_a_system_can(jobs, fast, tmp_path, name, most):
    seen = []

    class Watching(_Fragile):
        def make(self, task):
            seen.append(len(task.references))
            return Clip(pictures=np.zeros((5, 64, 64, 3), dtype=np.uint8))

    job = replace(jobs[0], references=jobs[0].references * 5)
    settings = load_settings(name, [*fast, "picture.use=none"], tiny=True)
    outcome = generate([job], settings, tmp_path / "out", load=lambda *_: Watching())
    assert seen == [most or 5]
    notes = (f"{most} of 5 references are used, the system's most",) if most else ()
    assert outcome.made[0].notes == notes


def test_values_that_are_no_numbers_never_become_a_video(jobs, tiny, tmp_path):
    def load(settings, found):
        system = load_system(settings, found)
        system.pipeline.vae.decoder.conv_out.bias.data.fill_(float("nan"))
        return system

    outcome = generate(jobs[:1], tiny, tmp_path / "out", load=load)
    assert "no numbers" in outcome.failed[0].reason


def test_missing_models_stop_the_run_before_anything_is_made(jobs, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    settings = load_settings("decoupled-ti2v-5b")
    with pytest.raises(ModelsMissing) as raised:
        generate(jobs, settings, tmp_path / "out")
    text = str(raised.value)
    assert "video model: Wan-AI/Wan2.2-TI2V-5B-Diffusers, about 34.2 GB" in text
    assert "picture model: Qwen/Qwen-Image-Edit, about 57.7 GB" in text
    assert "hf download Wan-AI/Wan2.2-TI2V-5B-Diffusers" in raised.value.hint
    assert str(tmp_path / "hub") in raised.value.hint
    assert raised.value.exit_code == 3
    assert not (tmp_path / "out").exists()
