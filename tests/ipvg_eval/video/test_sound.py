"""Sound comes out as one channel of 16 kHz on the clock of the pictures, or the reason is said."""

from __future__ import annotations

import numpy as np
import pytest
from sound_files import RATE, chirp, write_video, write_wav

from ipvg_eval.core.sound import NoSound, Sound
from ipvg_eval.errors import VideoError
from ipvg_eval.video import read_sound


def _lag(first, second):
    """Samples by which the second is later, by a plain sum of products."""
    lags = range(-400, 401)
    x = first[2000:12000].astype(float)
    return max(lags, key=lambda k: x @ second[2000 + k : 12000 + k].astype(float))


def test_a_wav_of_16_khz_comes_out_as_it_is(tmp_path):
    samples = chirp()
    sound = read_sound(write_wav(tmp_path / "a.wav", samples))
    assert isinstance(sound, Sound)
    assert np.array_equal(sound.samples, samples)
    assert (sound.start, sound.channels, sound.codec, sound.note) == (0.0, 1, "pcm_s16le", None)
    assert sound.duration == 2.0


@pytest.mark.parametrize("rate", [8000, 44100, 48000])
def test_other_rates_are_resampled_in_place(tmp_path, rate):
    sound = read_sound(write_wav(tmp_path / "a.wav", chirp(rate=rate), rate))
    assert abs(sound.duration - 2.0) < 0.01
    assert _lag(chirp(), sound.samples) == 0


def test_stereo_is_mixed(tmp_path):
    left, right = chirp(), chirp(seed=1)
    sound = read_sound(write_wav(tmp_path / "a.wav", np.stack([left, right])))
    expected = (left.astype(float) + right) / 2
    # FFmpeg rounds, and may dither by a step.
    assert np.abs(sound.samples - expected).max() <= 1.5
    assert sound.channels == 2


def test_the_priming_of_aac_is_cut(tmp_path):
    sound = read_sound(write_video(tmp_path / "a.mp4", chirp()))
    assert sound.codec == "aac"
    assert abs(sound.start) < 1e-3
    assert _lag(chirp(), sound.samples) == 0


@pytest.mark.parametrize("start", [0.5, 0.02])
def test_a_sound_that_begins_late_is_put_there(tmp_path, start):
    path = write_video(tmp_path / "a.mkv", chirp(), codec="pcm_s16le", start=start)
    sound = read_sound(path, first_picture=0.0)
    assert sound.start == pytest.approx(start, abs=1e-3)  # Matroska counts milliseconds
    assert not sound.samples[: round(start * RATE)].any()
    assert np.array_equal(sound.samples[round(start * RATE) :], chirp())


def test_what_lies_before_the_first_picture_is_cut(tmp_path):
    path = write_video(tmp_path / "a.mkv", chirp(), codec="pcm_s16le")
    sound = read_sound(path, first_picture=0.5)
    assert sound.start == -0.5
    assert np.array_equal(sound.samples, chirp()[RATE // 2 :])
    assert read_sound(path, first_picture=5.0) == NoSound(
        reason="the sound lies outside the time of the picture"
    )


def test_of_several_streams_the_first_counts(tmp_path):
    path = write_video(tmp_path / "a.mkv", chirp(), chirp(seed=1), codec="pcm_s16le")
    sound = read_sound(path)
    assert np.array_equal(sound.samples, chirp())
    assert sound.note == "the first of 2 streams of sound"


def test_no_stream_is_a_reason(tmp_path):
    assert read_sound(write_video(tmp_path / "a.mp4")) == NoSound(reason="the file has no sound")


def test_an_empty_sound_is_a_reason(tmp_path):
    sound = read_sound(write_wav(tmp_path / "a.wav", np.zeros(0, np.int16)))
    assert sound == NoSound(reason="the sound holds no sample")


def test_a_sound_of_more_than_ten_minutes_is_a_reason(tmp_path):
    path = write_wav(tmp_path / "a.wav", np.zeros(602 * 1000, np.int16), 1000)
    assert read_sound(path) == NoSound(reason="the sound lasts longer than 600 s")


def test_a_codec_that_is_not_on_the_list_is_not_decoded(tmp_path):
    path = write_video(tmp_path / "a.avi", chirp(), codec="adpcm_ms")
    assert read_sound(path) == NoSound(reason="the sound is of a codec that is not decoded")


def test_a_text_is_no_sound(tmp_path):
    path = tmp_path / "a.wav"
    path.write_text("no sound at all")
    with pytest.raises(VideoError):
        read_sound(path)
