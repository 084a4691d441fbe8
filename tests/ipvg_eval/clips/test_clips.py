"""Clips of strangers' videos are made in limited processes: one that breaks costs one clip."""

from __future__ import annotations

import errno
import os
import signal

import pytest

from ipvg_eval.clips import ClipMaker, maker
from ipvg_eval.clips.messages import Made
from ipvg_eval.leaderboard.study import clips
from ipvg_eval.leaderboard.study.errors import StudyError


@pytest.fixture
def video(fixtures):
    return fixtures / "submissions" / "careful" / "id001" / "prompt1.mp4"


@pytest.fixture(scope="module")
def make():
    with ClipMaker(1) as made:
        yield made


def test_a_clip_is_the_one_that_is_made_here(make, video, tmp_path):
    assert make.look(video) == clips.look(video)
    shape = clips.common_shape([clips.look(video)])
    for spoil in (None, 3):
        sizes = make.encode(video, tmp_path / "there.mp4", shape, spoil)
        assert sizes == clips.encode(video, tmp_path / "here.mp4", shape, spoil)
        assert (tmp_path / "there.mp4").read_bytes() == (tmp_path / "here.mp4").read_bytes()
    make.pad(tmp_path / "there.mp4", tmp_path / "there", sizes)
    clips.pad(tmp_path / "here.mp4", tmp_path / "here", sizes)
    assert (tmp_path / "there").read_bytes() == (tmp_path / "here").read_bytes()


@pytest.mark.parametrize("content", [b"", b"no video at all"])
def test_a_broken_video_is_a_reason(make, tmp_path, content):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(content)
    with pytest.raises(StudyError):
        make.look(broken)


def test_a_crash_is_a_reason_and_the_next_clip_is_made(make, video, monkeypatch):
    ask = maker._ClipProcess.ask

    def ask_and_kill(self, request):
        """Stopped while it is asked, it cannot answer before it crashes, however busy the machine is."""
        self.hello()
        os.kill(self._process.pid, signal.SIGSTOP)
        ask(self, request)
        os.kill(self._process.pid, signal.SIGSEGV)
        os.kill(self._process.pid, signal.SIGCONT)

    with monkeypatch.context() as patch:
        patch.setattr(maker._ClipProcess, "ask", ask_and_kill)
        with pytest.raises(StudyError, match="SIGSEGV"):
            make.look(video)
    assert make.look(video).seconds > 0


def test_a_full_disk_is_told_apart(make, video, tmp_path, monkeypatch):
    monkeypatch.setattr(maker._ClipProcess, "answer", lambda _: Made(sizes=None))
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        make.encode(video, tmp_path / "clip.mp4", clips.common_shape([clips.look(video)]))
