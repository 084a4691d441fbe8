"""How large and how long: what is refused before it costs memory, and what a time-out does."""

from __future__ import annotations

import hashlib
import os
import struct
import zipfile
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
import video_files
from PIL import Image
from video_boxes import with_fields

from ipvg_eval import load_submission
from ipvg_eval.core.pictures import read_rgb
from ipvg_eval.decoding import DecoderProcess, OpenVideo, PictureProcess
from ipvg_eval.errors import VideoError
from ipvg_eval.sandbox import ProcessLimits
from ipvg_eval.scoring.prepare import Preparation
from ipvg_eval.validation.messages import Check, Task
from ipvg_eval.validation.rules import VideoRules
from ipvg_eval.validation.videos import CheckingProcess
from ipvg_eval.video import decode, index_frames, sequence

SIDE = 8192
NOT_DECODED = 400 * 2**20
"""Bytes below which a process has decoded no picture of that size: one takes 96 MiB, and several are kept."""


@pytest.fixture(scope="module")
def huge():
    """Three flat pictures of 8192 x 8192 in a few kilobytes."""
    return video_files.encode(width=SIDE, height=SIDE, frames=3)


@pytest.fixture(params=["honest", "lying"])
def huge_video(request, huge, tmp_path):
    """The same with the size in its header, and with a small one there."""
    path = tmp_path / "video.mp4"
    path.write_bytes(huge if request.param == "honest" else with_fields(huge, b"avc1", width=160, height=128))
    return path


def peak_bytes(process):
    status = Path(f"/proc/{process._process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def test_a_picture_above_the_largest_size_is_never_decoded(huge_video):
    with DecoderProcess() as decoder:
        with pytest.raises(VideoError):
            list(decoder.open(huge_video).batches([0, 1, 2]))
        assert peak_bytes(decoder) < NOT_DECODED
        assert os.fstat(decoder.memory.descriptor).st_size <= 32 * 2**20
        # Nobody else pays for it.
        small = huge_video.with_name("small.mp4")
        small.write_bytes(video_files.encode())
        assert list(decoder.open(small).batches([0]))


def test_validation_says_which_size_is_too_large(huge, tmp_path):
    path = tmp_path / "video.mp4"
    path.write_bytes(huge)
    with CheckingProcess(Task(rules=VideoRules(), deep=True)) as process, path.open("rb") as file:
        texts = [finding.message for finding in process.check(Check(name="video.mp4", sample="1"), file)]
        assert any("8192x8192" in text and "larger than the largest" in text for text in texts)
        assert peak_bytes(process) < NOT_DECODED


def test_the_largest_size_can_be_raised_and_lowered(tmp_path):
    path = tmp_path / "video.mp4"
    path.write_bytes(video_files.encode(width=160, height=128))
    for pixels, comes in ((160 * 128, True), (160 * 128 - 1, False)):
        with DecoderProcess(ProcessLimits(max_pixels=pixels)) as decoder:
            if comes:
                assert list(decoder.open(path).batches([0]))
            else:
                with pytest.raises(VideoError, match="160x128 are larger"):
                    decoder.open(path)


def test_a_video_without_a_size_is_refused_by_name(tmp_path):
    path = tmp_path / "video.mp4"
    screen = struct.pack("<HHBBB", 0, 0, 0, 0, 0)
    path.write_bytes(b"GIF89a" + screen + b"\x2c" + bytes(9) + b"\x02\x01\x00\x00\x3b")
    with DecoderProcess() as decoder:
        with pytest.raises(VideoError) as caught:
            decoder.open(path)
        assert "exit code" not in caught.value.message


def test_whatever_a_handler_raises_is_a_reason(tmp_path):
    """A request for frames that the video does not have: the process answers, and another takes over."""
    path = tmp_path / "video.mp4"
    path.write_bytes(video_files.encode())
    with DecoderProcess() as decoder:
        opened = decoder.open(path)
        with pytest.raises(VideoError, match="frame indices"):
            list(opened.batches([10_000]))
        assert list(decoder.open(path).batches([0]))


def test_a_time_out_gives_no_score_however_far_it_came(tmp_path, monkeypatch):
    path = tmp_path / "video.mp4"
    path.write_bytes(video_files.encode(frames=40))
    index = index_frames(path)
    for looks in (5, 20, 35):
        left = iter(range(looks))
        over = property(lambda _, left=left: next(left, None) is None)
        monkeypatch.setattr(sequence._Stopwatch, "over", over)
        came = []
        with pytest.raises(VideoError, match="before the last frame that is needed"):
            came.extend(decode(path, range(40), index=index, batch_size=2))
        assert len(came) < 20


def test_frames_that_can_never_decode_stay_another_matter(tmp_path):
    """A damaged file gives what it holds, whatever the machine."""
    content = bytearray(video_files.encode(frames=40))
    end = content.index(b"moov")
    content[end * 3 // 4 : end - 8] = bytes(end - 8 - end * 3 // 4)
    path = tmp_path / "video.mp4"
    path.write_bytes(content)
    with DecoderProcess() as decoder:
        opened = decoder.open(path)
        assert list(opened.batches(range(opened.clip.frame_count)))
        assert opened.damage is not None


class _Swapping(DecoderProcess):
    """Somebody puts another video in the place of the one that was just hashed."""

    place: Path
    content: bytes

    def open(self, video: Path) -> OpenVideo:
        other = self.place.with_name("other")
        other.write_bytes(self.content)
        other.replace(self.place)
        return super().open(video)


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_what_is_hashed_is_what_is_decoded(tmp_path, packed):
    first, second = video_files.encode(seed=1), video_files.encode(seed=2)
    folder = tmp_path / "team"
    folder.mkdir()
    place = folder / "video.mp4"
    place.write_bytes(first)
    content = second
    if packed:
        place = tmp_path / "team.zip"
        for video in (second, first):
            with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as file:
                file.writestr("video.mp4", video)
            content = content if video is first else place.read_bytes()
    submission = load_submission(place if packed else folder)
    handed: list[object] = []
    sample = SimpleNamespace(id="1", video="video.mp4", timeline=None, identity="1", audio=None)
    scorer = SimpleNamespace(evaluators=(), specs=(), driving=None)
    with _Swapping() as decoder:
        decoder.place, decoder.content = place, content
        preparation = Preparation(submission=submission, scorer=scorer, rows={})
        preparation.produce(sample, SimpleNamespace(put=handed.append), decoder)
    assert handed[0] == hashlib.sha256(first).hexdigest()
    frames = np.concatenate([item.frames for item in handed if hasattr(item, "frames")])
    original = tmp_path / "original.mp4"
    original.write_bytes(first)
    indices = [i for item in handed if hasattr(item, "frames") for i in item.indices]
    with decode(original, indices, index=index_frames(original)) as here:
        assert np.array_equal(frames, np.concatenate([batch.frames for batch in here]))
    assert place.read_bytes() == content


@pytest.fixture(scope="module")
def pictures():
    with PictureProcess() as process:
        yield process


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_a_strangers_picture_is_the_one_that_is_read_here(pictures, tmp_path, kind):
    path = tmp_path / f"picture.{kind}"
    noise = np.random.default_rng(0).integers(0, 255, (37, 53, 3), np.uint8)
    Image.fromarray(noise).save(path)
    assert np.array_equal(pictures.read(path), read_rgb(path))
    assert "seccomp" in " ".join(pictures.hello().confinement.by + pictures.hello().confinement.lacking)


def test_pictures_that_are_too_large_or_none_are_reasons(pictures, tmp_path):
    path = tmp_path / "picture.png"
    Image.new("1", (SIDE, SIDE)).save(path)
    with pytest.raises(VideoError, match="8192x8192 is larger"):
        pictures.read(path)
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    with pytest.raises(VideoError, match="no png, webp or jpg"):
        pictures.read(path)
    with pytest.raises(VideoError, match="No such file"):
        pictures.read(tmp_path / "nothing.png")
    Image.new("RGB", (3, 2), "red").save(path)
    assert pictures.read(path).tolist() == [[[255, 0, 0]] * 3] * 2


def test_decoders_nobody_needs_are_not_reached(tmp_path):
    path = tmp_path / "video.mp4"
    path.write_bytes(video_files.encode(codec="flv", container="flv"))
    with av.open(str(path)) as file:
        assert file.streams.video[0].codec_context.name == "flv"
    with DecoderProcess() as decoder, pytest.raises(VideoError, match="codec that is not decoded"):
        decoder.open(path)


def test_a_pipe_in_a_videos_place_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "video.mp4")
    with DecoderProcess() as decoder, pytest.raises(VideoError, match="no plain file"):
        decoder.open(tmp_path / "video.mp4")
