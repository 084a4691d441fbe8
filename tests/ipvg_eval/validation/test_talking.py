"""Talking heads: sound, length and rate against the driving sound."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest
from sound_files import chirp, write_video, write_wav

from ipvg_eval.validation import validate

TALKING = Path(__file__).resolve().parents[3] / "fixtures" / "talking"
TESTSET = TALKING / "testset"


def _codes(report):
    return {(finding.code, finding.sample) for finding in report.findings}


@pytest.mark.parametrize("team", ["timed", "late", "still"])
def test_a_submission_with_its_sounds_is_valid(team):
    assert validate(TALKING / "submissions" / team, TESTSET).findings == ()


@pytest.mark.parametrize(("team", "code"), [("mute", "sound-missing"), ("foreign", "sound-foreign")])
def test_mute_and_foreign_videos_are_named(team, code):
    report = validate(TALKING / "submissions" / team, TESTSET)
    assert not report.ok
    assert _codes(report) == {(code, "1"), (code, "2")}


def test_missing_and_misnamed_videos_of_a_zip_are_named(tmp_path):
    path = tmp_path / "any_name.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(TALKING / "submissions" / "mute" / "1.mp4", "1.MP4")
    report = validate(path, TESTSET)
    assert _codes(report) == {("video-misnamed", "1"), ("sound-missing", "1"), ("video-missing", "2")}


@pytest.fixture
def one_sample(tmp_path):
    root = tmp_path / "testset"
    root.mkdir()
    shutil.copy(TESTSET / "1.png", root / "a.png")
    write_wav(root / "a.wav", chirp(2.0))
    (tmp_path / "team").mkdir()

    def check(*sounds, frames=50, **settings):
        write_video(tmp_path / "team" / "a.mp4", *sounds, frames=frames, **settings)
        report = validate(tmp_path / "team", root)
        return {f.code: f.message for f in report.findings if f.code not in ("video-tiny", "video-duration")}

    return check


def test_length_and_rate_are_held_against_the_sound(one_sample):
    assert one_sample(chirp(2.0)) == {}
    assert one_sample(chirp(2.0), frames=51) == {}
    assert set(one_sample(chirp(2.0), frames=60)) == {"video-length"}
    assert "0.40 s" in one_sample(chirp(2.0), frames=10)["video-length"]
    assert set(one_sample(chirp(2.0), frames=24, fps=12)) == {"video-frame-rate-low"}


def test_a_shifted_sound_is_told_from_another(one_sample):
    assert "0.20 s late" in one_sample(chirp(2.0), start=0.2)["sound-shifted"]
    assert "0.20 s early" in one_sample(chirp(2.0)[3200:])["sound-shifted"]


def test_silence_and_several_streams(one_sample):
    assert "silent" in one_sample(0 * chirp(2.0))["sound-missing"]
    assert set(one_sample(chirp(2.0), chirp(2.0, seed=1))) == {"sound-streams"}
