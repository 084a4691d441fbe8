"""Sound through a decoder process is what reading here gives, and is bounded."""

from __future__ import annotations

import numpy as np
import pytest
from sound_files import chirp, write_video, write_wav

from ipvg_eval.core.sound import NoSound
from ipvg_eval.decoding import DecoderProcess
from ipvg_eval.decoding.messages import HeardSound
from ipvg_eval.errors import VideoError
from ipvg_eval.metrics.target import Audio
from ipvg_eval.scoring.companions import DrivingSounds, read_driving
from ipvg_eval.video import index_frames, read_sound

BOTH = frozenset({"driving", "embedded"})


@pytest.fixture
def decoder():
    with DecoderProcess() as process:
        yield process


def test_sound_and_frames_of_one_video(decoder, tmp_path):
    path = write_video(tmp_path / "a.mp4", chirp())
    driving = decoder.listen(write_wav(tmp_path / "a.wav", chirp()))
    assert np.array_equal(driving.samples, chirp())
    video = decoder.open(path)
    embedded = video.listen()
    here = read_sound(path, first_picture=index_frames(path).first_time)
    assert np.array_equal(embedded.samples, here.samples)
    assert sum(len(batch.indices) for batch in video.batches(range(50))) == 50
    assert decoder.open(write_video(tmp_path / "b.mp4")).listen() == NoSound(reason="the file has no sound")


def test_a_file_that_is_no_sound_costs_nothing_else(decoder, tmp_path):
    broken = tmp_path / "a.wav"
    broken.write_bytes(b"RIFF nothing")
    with pytest.raises(VideoError):
        decoder.listen(broken)
    sound = read_driving(decoder, Audio(path=broken, sha256="0"), DrivingSounds(), BOTH)
    assert isinstance(sound, NoSound)
    assert sound.reason.startswith("the driving sound cannot be read")
    assert decoder.open(write_video(tmp_path / "b.mp4", chirp())).listen().duration > 1.9


def test_a_process_cannot_claim_more_samples_than_there_is_room_for(decoder, tmp_path, monkeypatch):
    path = write_wav(tmp_path / "a.wav", chirp())
    claim = HeardSound(count=2**30, start=0.0, channels=1, codec="pcm_s16le", note=None)
    monkeypatch.setattr(decoder, "answer", lambda: claim)
    with pytest.raises(VideoError, match="out of turn"):
        decoder.listen(path)


def test_driving_sounds_are_read_once_and_the_least_used_go(monkeypatch, tmp_path):
    monkeypatch.setattr("ipvg_eval.scoring.companions._KEPT_BYTES", 2 * chirp().nbytes)
    path = write_wav(tmp_path / "a.wav", chirp())
    kept, read = DrivingSounds(), []

    def reading(audio):
        read.append(audio.sha256)
        return read_sound(audio.path)

    for name in ("a", "b", "a", "c", "a", "b"):
        kept.get(Audio(path=path, sha256=name), reading)
    assert read == ["a", "b", "c", "b"]
