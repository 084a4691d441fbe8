"""Clips of strangers' videos are made in limited processes: one that breaks costs one clip."""

from __future__ import annotations

import errno
import os
import signal

import pytest

from ipvg_eval.clips import ClipMaker, maker
from ipvg_eval.clips.messages import Made
from ipvg_eval.leaderboard.study.clips import anonymous_clip, holds
from ipvg_eval.leaderboard.study.errors import StudyError


@pytest.fixture
def video(fixtures):
    return fixtures / "submissions" / "careful" / "id001" / "prompt1.mp4"


@pytest.fixture(scope="module")
def make():
    with ClipMaker(1) as made:
        yield made


def test_a_clip_is_the_one_that_is_made_here(make, video, tmp_path):
    seconds = make(video, tmp_path / "there.mp4", ["careful"])
    assert seconds == anonymous_clip(video, tmp_path / "here.mp4", ["careful"])
    assert (tmp_path / "there.mp4").read_bytes() == (tmp_path / "here.mp4").read_bytes()
    assert not holds(tmp_path / "there.mp4", [b"careful", b"x264"])


@pytest.mark.parametrize("content", [b"", b"no video at all"])
def test_a_broken_video_is_a_reason(make, tmp_path, content):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(content)
    with pytest.raises(StudyError):
        make(broken, tmp_path / "clip.mp4", [])


def test_a_crash_is_a_reason_and_the_next_clip_is_made(make, video, tmp_path, monkeypatch):
    ask = maker._ClipProcess.ask

    def ask_and_kill(self, request):
        ask(self, request)
        os.kill(self._process.pid, signal.SIGSEGV)

    with monkeypatch.context() as patch:
        patch.setattr(maker._ClipProcess, "ask", ask_and_kill)
        with pytest.raises(StudyError, match="SIGSEGV"):
            make(video, tmp_path / "one.mp4", [])
    assert make(video, tmp_path / "two.mp4", []) > 0


def test_a_full_disk_is_told_apart(make, video, tmp_path, monkeypatch):
    monkeypatch.setattr(maker._ClipProcess, "answer", lambda _: Made(seconds=None))
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        make(video, tmp_path / "clip.mp4", [])
