"""A decoder process that crashes, hangs, lies or takes too much costs one video."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import av
import numpy as np
import pytest

from ipvg_eval.core.limits import Confinement
from ipvg_eval.decoding import DecoderProcess
from ipvg_eval.errors import VideoError
from ipvg_eval.sandbox import ProcessLimits
from ipvg_eval.sandbox.messages import Hello
from ipvg_eval.video import decode, index_frames


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    """48 frames of moving noise, 160 x 120."""
    path = tmp_path_factory.mktemp("video") / "video.mp4"
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for _ in range(48):
            picture = rng.integers(0, 255, (120, 160, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def decoder():
    with DecoderProcess() as process:
        yield process


def _child(decoder: DecoderProcess) -> int:
    return decoder._process.pid


def test_frames_are_those_of_decoding_here(decoder, video):
    opened = decoder.open(video)
    index = index_frames(video)
    assert opened.clip == index.clip
    assert opened.codec == "h264"
    wanted = [0, 3, 4, 20, 47]
    batches = list(opened.batches(wanted))
    with decode(video, wanted, index=index) as here:
        expected = np.concatenate([batch.frames for batch in here])
    assert np.array_equal(np.concatenate([batch.frames for batch in batches]), expected)
    assert [i for batch in batches for i in batch.indices] == wanted
    assert (opened.damage, opened.note) == (None, None)


def test_one_process_serves_many_videos(decoder, video):
    decoder.open(video)
    first = _child(decoder)
    assert len(list(decoder.open(video).batches([1, 2]))) == 1
    assert _child(decoder) == first


@pytest.mark.parametrize("content", [b"", b"text that is no video", b"\x00" * 5000])
def test_a_broken_file_is_a_reason_and_the_process_lives_on(decoder, video, tmp_path, content):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(content)
    with pytest.raises(VideoError) as caught:
        decoder.open(broken)
    assert str(tmp_path) not in caught.value.message
    child = _child(decoder)
    decoder.open(video)
    assert _child(decoder) == child


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_crash_is_named_and_the_next_video_decodes(decoder, video, signal_number):
    opened = decoder.open(video)
    os.kill(_child(decoder), signal_number)
    with pytest.raises(VideoError, match=signal.Signals(signal_number).name):
        list(opened.batches([5]))
    assert list(decoder.open(video).batches([5]))


def test_a_hang_is_ended_after_the_time_limit(video, monkeypatch):
    monkeypatch.setattr("ipvg_eval.sandbox.process._GRACE", 0.5)
    with DecoderProcess() as decoder:
        opened = decoder.open(video)
        os.kill(_child(decoder), signal.SIGSTOP)
        decoder.limits = ProcessLimits(seconds=1)
        with pytest.raises(VideoError, match="longer than 1 s"):
            list(opened.batches([5]))
        decoder.limits = ProcessLimits()
        assert list(decoder.open(video).batches([5]))


def test_the_readers_own_time_does_not_count(video, monkeypatch):
    monkeypatch.setattr("ipvg_eval.sandbox.process._GRACE", 0.0)
    with DecoderProcess(ProcessLimits(seconds=5)) as decoder:
        opened = decoder.open(video)
        batches = opened.batches(range(48))
        next(batches)
        decoder.limits = ProcessLimits(seconds=0.1)
        time.sleep(1)
        assert sum(len(batch.indices) for batch in batches) > 0


def test_more_memory_than_allowed_costs_the_video_only(video, tmp_path):
    huge = tmp_path / "huge.mp4"
    with av.open(str(huge), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 7680, 4320, "yuv420p"
        picture = av.VideoFrame.from_ndarray(np.zeros((4320, 7680, 3), np.uint8), "rgb24")
        for _ in range(2):
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    with DecoderProcess(ProcessLimits(memory_mib=512)) as decoder:
        with pytest.raises(VideoError):
            list(decoder.open(huge).batches([0, 1]))
        assert list(decoder.open(video).batches([5]))


def test_the_process_can_write_no_file():
    """The limits hold in the process that decodes."""
    with DecoderProcess() as decoder:
        decoder.hello()
        limits = Path(f"/proc/{_child(decoder)}/limits").read_text()
    rows = {line[:26].strip(): line[26:].split()[0] for line in limits.splitlines()[1:]}
    assert rows["Max file size"] == "0"
    assert rows["Max core file size"] == "0"
    assert rows["Max open files"] == "64"
    assert rows["Max address space"] == str(4096 * 2**20)


def test_the_process_knows_no_secrets(video, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very secret")
    monkeypatch.setenv("HF_TOKEN", "also secret")
    with DecoderProcess() as decoder:
        decoder.open(video)
        known = Path(f"/proc/{_child(decoder)}/environ").read_bytes()
    assert b"secret" not in known
    assert b"OMP_NUM_THREADS=1" in known


def test_stopping_early_leaves_nothing_for_the_next_video(decoder, video):
    batches = decoder.open(video).batches(range(48))
    next(batches)
    batches.close()
    (batch,) = decoder.open(video).batches([7])
    assert batch.indices == (7,)


def test_a_kill_from_another_thread_wakes_the_reader(decoder, video):
    opened = decoder.open(video)
    os.kill(_child(decoder), signal.SIGSTOP)
    threading.Timer(0.3, decoder.kill).start()
    with pytest.raises(VideoError, match="SIGKILL"):
        list(opened.batches([5]))


def test_nothing_is_left_running(video):
    with DecoderProcess() as decoder:
        decoder.open(video)
        child = _child(decoder)
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


class _Liar(DecoderProcess):
    """A decoder that was taken over."""

    script = ""

    def _command(self) -> list[str]:
        return [sys.executable, "-c", f"print({HELLO!r}, flush=True)\n{self.script}", *super()._command()[4:]]


HELLO = Hello(versions={}, confinement=Confinement(by=())).model_dump_json()
OPENED = '{"kind":"opened","codec":null,"width":2,"height":2,"fps":1.0,"duration":1.0,"times":[0.0,1.0]}'


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ("garbage", "makes no sense"),
        ('{"kind":"shell","command":"rm"}', "makes no sense"),
        ('{"kind":"end","damage":null,"note":null}', "out of turn"),
        (OPENED.replace("1.0,", "NaN,", 1), "makes no sense"),
        (OPENED.replace('"width":2', '"width":-2'), "makes no sense"),
    ],
)
def test_nonsense_about_a_file_is_refused(video, answers, says):
    liar = _Liar()
    liar.script = f"input(); print({answers!r}, flush=True); input()"
    with liar, pytest.raises(VideoError, match=says):
        liar.open(video)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ('{"kind":"batch","indices":[1],"height":2,"width":2}', "nobody asked for"),
        ('{"kind":"batch","indices":[9],"height":2,"width":2}', "nobody asked for"),
        ('{"kind":"batch","indices":[1,0],"height":2,"width":2}', "makes no sense"),
        ('{"kind":"batch","indices":[],"height":2,"width":2}', "makes no sense"),
        ('{"kind":"batch","indices":[0],"height":99999,"width":99999}', "too large"),
        (OPENED, "out of turn"),
        ("", "ended"),
    ],
)
def test_nonsense_instead_of_frames_is_refused(video, answer, says):
    liar = _Liar()
    last = "print(%r, flush=True); input()" % answer if answer else "raise SystemExit(3)"  # noqa: UP031
    liar.script = f"input(); print({OPENED!r}, flush=True); input(); {last}"
    with liar, pytest.raises(VideoError, match=says):
        list(liar.open(video).batches([0]))


def test_frames_that_are_kept_stay_as_they_came(decoder, video):
    """Nothing is written over frames that somebody holds, also by later videos and a new process."""
    kept = [batch.frames for _ in range(6) for batch in decoder.open(video).batches(range(48))]
    copies = [frames.copy() for frames in kept]
    os.kill(_child(decoder), signal.SIGKILL)
    with pytest.raises(VideoError):
        decoder.open(video)
    assert list(decoder.open(video).batches([5, 9]))
    assert all(np.array_equal(one, other) for one, other in zip(kept, copies, strict=True))


def test_memory_that_nobody_holds_is_used_again(decoder, video):
    memory = os.fstat(decoder.memory.descriptor)
    assert memory.st_size == 0
    sizes = set()
    for _ in range(5):
        for batch in decoder.open(video).batches(range(48)):
            part = batch.frames[0, :2]
            assert part.any()
            del batch, part
        sizes.add(os.fstat(decoder.memory.descriptor).st_size)
    assert len(sizes) == 1


def test_the_process_cannot_take_the_memory_away(decoder):
    """A parent that reads behind the end of a file it has mapped would be killed."""
    decoder.memory.slot(1 << 20)
    with pytest.raises(PermissionError):
        os.ftruncate(decoder.memory.descriptor, 0)


def test_frames_larger_than_the_header_says_get_the_room_they_need(video):
    """Height and width of a stream may change in its middle; a header may say what it likes."""
    script = (
        "import json, mmap\n"
        "input()\n"
        f"print({OPENED!r}, flush=True)\n"
        "input()\n"
        "piece = json.loads(input())\n"
        'print(json.dumps({"kind": "room", "size": 40 * 2**20}), flush=True)\n'
        "piece = json.loads(input())\n"
        "assert piece['size'] >= 40 * 2**20\n"
        "memory = json.loads(__import__('sys').argv[2])['descriptor']\n"
        "mapped = mmap.mmap(memory, piece['size'], offset=piece['offset'])\n"
        "mapped[:12] = bytes(range(12))\n"
        'print(json.dumps({"kind": "batch", "indices": [0], "height": 2, "width": 2}), flush=True)\n'
        "input()\n"
        'print(json.dumps({"kind": "end", "damage": None, "note": None}), flush=True)\n'
        "input()\n"
    )
    liar = _Liar(ProcessLimits(max_pixels=2**24))
    liar.script = script
    with liar:
        (batch,) = liar.open(video).batches([0])
    assert batch.frames.tolist() == np.arange(12).reshape(1, 2, 2, 3).tolist()


@pytest.mark.parametrize("size", [1, 2**40])
def test_a_demand_for_senseless_room_is_refused(video, size):
    liar = _Liar()
    room = '{"kind":"room","size":%d}' % size  # noqa: UP031
    liar.script = f"input(); print({OPENED!r}, flush=True); input(); print({room!r}, flush=True); input()"
    with liar, pytest.raises(VideoError, match="too large"):
        list(liar.open(video).batches([0]))
