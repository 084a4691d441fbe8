"""Talking heads: a picture, a sound and a text of one name."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from sound_files import chirp, write_video, write_wav

from ipvg_eval.core.errors import UsageError
from ipvg_eval.errors import TestSetError
from ipvg_eval.findings import Severity
from ipvg_eval.testset import Layout, Track, load_testset

FIXTURE = Path(__file__).resolve().parents[3] / "fixtures" / "talking" / "testset"


@pytest.fixture
def triples(tmp_path, picture):
    root = tmp_path / "testset"
    for seed, name in enumerate(("1", "2", "10")):
        picture(root / f"{name}.png", seed=seed)
        write_wav(root / f"{name}.wav", chirp(0.2, seed=seed))
        (root / f"{name}.txt").write_text(f"Speaks {name}.\n")
    return root


def _codes(testset):
    return {(finding.code, finding.sample) for finding in testset.findings}


def test_samples_are_read_in_natural_order(triples):
    testset = load_testset(triples)
    assert (testset.layout, testset.track) == (Layout.TRIPLES, Track.TALKING)
    assert [s.id for s in testset.samples] == ["1", "2", "10"]
    assert [s.video for s in testset.samples] == ["1.mp4", "2.mp4", "10.mp4"]
    assert testset.samples[0].prompt == "Speaks 1."
    assert testset.samples[0].target.audio.path == triples / "1.wav"
    assert testset.findings == ()
    assert testset.reference_videos is None
    assert len(set(testset.identities)) == 3


def test_one_folder_per_kind_and_a_folder_around_it_are_the_same_test_set(triples):
    flat = load_testset(triples)
    other = triples.parent / "download" / "set"
    for kind in ("png", "wav", "txt"):
        (other / kind).mkdir(parents=True)
        for path in triples.glob(f"*.{kind}"):
            shutil.copy(path, other / kind)
    assert load_testset(other.parent).fingerprint == flat.fingerprint


def test_a_missing_text_is_no_fault(triples):
    (triples / "2.txt").unlink()
    testset = load_testset(triples)
    assert testset.samples[1].prompt == ""
    assert testset.findings == ()


def test_samples_of_one_picture_share_their_identity(triples):
    shutil.copy(triples / "1.png", triples / "2.png")
    assert len(set(load_testset(triples).identities)) == 2


def test_what_is_missing_or_broken_is_named(triples):
    (triples / "1.wav").unlink()
    (triples / "2.png").unlink()
    (triples / "10.wav").write_bytes(b"")
    for name in ("3", "4"):
        shutil.copy(triples / "1.png", triples / f"{name}.png")
    write_wav(triples / "3.wav", np.zeros(0, np.int16))
    write_wav(triples / "4.wav", chirp(0.2))
    content = (triples / "4.wav").read_bytes()
    (triples / "4.wav").write_bytes(content[:-100])
    write_wav(triples / "5.wav", chirp(0.2))
    shutil.copy(triples / "1.png", triples / "5.png")
    testset = load_testset(triples)
    assert [s.id for s in testset.samples] == ["5"]
    assert _codes(testset) == {
        ("audio-missing", "1"),
        ("reference-missing", "2"),
        ("audio-unreadable", "10"),
        ("audio-unreadable", "3"),
        ("audio-unreadable", "4"),
    }
    said = {finding.sample: finding.message for finding in testset.findings}
    assert "100 bytes are missing" in said["4"]
    assert "no sample" in said["3"]


def test_an_mp3_that_is_called_wav_is_said(triples):
    (triples / "1.wav").write_bytes(b"ID3\x04" + bytes(400))
    testset = load_testset(triples)
    (finding,) = testset.findings
    assert (finding.code, finding.severity) == ("audio-format", Severity.WARNING)
    assert "its name says wav" in finding.message
    assert len(testset.samples) == 3


def test_a_second_picture_of_one_name_is_said_and_not_read(triples, picture):
    picture(triples / "1.jpg", seed=7)
    before = load_testset(triples)
    assert _codes(before) == {("file-duplicate", "1")}
    (triples / "1.jpg").unlink()
    assert load_testset(triples).fingerprint == before.fingerprint


@pytest.mark.parametrize("kind", ["png", "wav", "txt"])
def test_every_content_counts(triples, picture, kind):
    before = load_testset(triples).fingerprint
    path = triples / f"1.{kind}"
    if kind == "png":
        picture(path, seed=9)
    elif kind == "wav":
        write_wav(path, chirp(0.2, seed=9))
    else:
        path.write_text("Sings.")
    assert load_testset(triples).fingerprint != before


def test_real_videos_do_not_count_as_test_set_but_have_a_digest(triples, tmp_path):
    before = load_testset(triples)
    elsewhere = tmp_path / "real"
    elsewhere.mkdir()
    write_video(elsewhere / "2.mp4")
    given = load_testset(triples, reference_videos=elsewhere)
    assert given.fingerprint == before.fingerprint
    assert [s.reference_video for s in given.samples] == [None, elsewhere / "2.mp4", None]
    shutil.copytree(elsewhere, triples / "reference")
    inside = load_testset(triples)
    assert inside.reference_videos == given.reference_videos is not None
    write_video(triples / "reference" / "10.mp4")
    assert load_testset(triples).reference_videos != given.reference_videos


def test_a_folder_without_real_videos_is_said(triples, tmp_path, folder_set):
    with pytest.raises(UsageError, match="no reference video"):
        load_testset(triples, reference_videos=tmp_path)
    with pytest.raises(UsageError, match="facial"):
        load_testset(folder_set({"id001": ["walks"]}, root="faces"), reference_videos=tmp_path)


def test_pictures_without_sounds_are_no_test_set(tmp_path, picture):
    picture(tmp_path / "1.png")
    with pytest.raises(TestSetError, match="no test set here"):
        load_testset(tmp_path)


def test_the_fixture_has_two_samples():
    testset = load_testset(FIXTURE)
    assert [s.id for s in testset.samples] == ["1", "2"]
    assert testset.reference_videos is not None
