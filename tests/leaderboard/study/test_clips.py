"""Clips and pictures lose every trace of where they come from, and nothing else."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from ipvg_eval.core.errors import UnreadablePicture
from ipvg_eval.leaderboard.study.clips import TRACES, anonymous_clip, corrupted_clip, holds
from ipvg_eval.leaderboard.study.errors import StudyError
from ipvg_eval.leaderboard.study.pictures import anonymous_picture

TEAM = "QuokkaVision"


def decoded(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def facts(path: Path) -> tuple[str, str | None]:
    with av.open(str(path)) as container:
        assert [stream.type for stream in container.streams] == ["video"]
        context = container.streams.video[0].codec_context
        return context.name, context.pix_fmt


def test_a_playable_clip_keeps_its_pictures_and_loses_its_traces(write_clip, tmp_path):
    source = write_clip(tmp_path / TEAM / f"{TEAM}.mp4", frames=16, team=TEAM)
    before = source.read_bytes()
    assert TEAM.encode() in before
    assert b"x264" in before
    duration = anonymous_clip(source, tmp_path / "clip", forbidden=[TEAM])
    after = (tmp_path / "clip").read_bytes().lower()
    for trace in (*TRACES, TEAM.encode(), str(tmp_path).encode()):
        assert trace.lower() not in after
    assert duration == pytest.approx(1.0, abs=0.001)
    np.testing.assert_array_equal(decoded(tmp_path / "clip"), decoded(source))
    assert after.index(b"moov") < after.index(b"mdat")


@pytest.mark.parametrize(
    ("suffix", "more"),
    [
        (".webm", {"codec": "libvpx-vp9"}),
        (".avi", {"codec": "mpeg4"}),
        (".mp4", {"pix_fmt": "yuv444p"}),
        (".mp4", {"codec": "libx265"}),
    ],
)
def test_what_browsers_do_not_all_play_is_encoded_anew(write_clip, tmp_path, suffix, more):
    source = write_clip(tmp_path / f"source{suffix}", frames=8, team=TEAM, **more)
    duration = anonymous_clip(source, tmp_path / "clip", forbidden=[TEAM])
    assert facts(tmp_path / "clip") == ("h264", "yuv420p")
    assert not holds(tmp_path / "clip", [*TRACES, TEAM.encode()])
    assert duration == pytest.approx(0.5, abs=0.03)
    before, after = decoded(source).astype(float), decoded(tmp_path / "clip").astype(float)
    assert before.shape == after.shape
    assert np.abs(before - after).mean() < 3  # of 255


@pytest.mark.parametrize("degrees", [90, 180])
def test_a_turned_clip_comes_out_upright(write_clip, tmp_path, degrees):
    upright = decoded(write_clip(tmp_path / "upright.mp4"))
    source = write_clip(tmp_path / "turned.mp4", rotation=degrees)
    anonymous_clip(source, tmp_path / "clip")
    with av.open(str(tmp_path / "clip")) as container:
        assert next(container.decode(video=0)).rotation == 0
    shown = decoded(tmp_path / "clip")
    with av.open(str(source)) as container:
        asked = next(container.decode(video=0)).rotation  # counter-clockwise
    expected = np.rot90(upright, asked // 90, axes=(1, 2))
    assert asked in (degrees, -degrees)
    assert np.abs(shown.astype(float) - expected.astype(float)).mean() < 3


def test_a_clip_that_ends_early_keeps_what_decodes(write_clip, tmp_path):
    whole = write_clip(tmp_path / "whole.mkv", frames=32).read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) * 2 // 3])
    duration = anonymous_clip(tmp_path / "cut.mkv", tmp_path / "clip")
    assert 0.3 < duration < 2.0


@pytest.mark.parametrize("content", [b"", b"no video at all" * 50])
def test_what_does_not_decode_is_refused(tmp_path, content):
    (tmp_path / "source.mp4").write_bytes(content)
    with pytest.raises((StudyError, av.FFmpegError)):
        anonymous_clip(tmp_path / "source.mp4", tmp_path / "clip")


def test_a_corrupted_copy_is_as_long_and_far_worse(write_clip, tmp_path):
    source = write_clip(tmp_path / "source.mp4", frames=8)
    duration = anonymous_clip(source, tmp_path / "real")
    assert corrupted_clip(tmp_path / "real", tmp_path / "bad", rng=np.random.default_rng(0)) == duration
    real, bad = decoded(tmp_path / "real").astype(float), decoded(tmp_path / "bad").astype(float)
    assert real.shape == bad.shape
    mse = ((real - bad) ** 2).mean()
    assert 10 * np.log10(255**2 / mse) < 18  # PSNR in dB; 30 and more is what lossy encoders give
    assert not holds(tmp_path / "bad", TRACES)


def test_pictures_lose_their_metadata_and_stand_upright(tmp_path):
    pixels = np.zeros((40, 80, 3), dtype=np.uint8)
    pixels[:, :40] = 255
    exif = Image.Exif()
    exif[0x010E] = "QuokkaVision secret"  # ImageDescription
    exif[0x0112] = 6  # to be turned clockwise by 90 degrees
    Image.fromarray(pixels).save(tmp_path / "in.jpg", exif=exif, quality=95)
    assert b"QuokkaVision" in (tmp_path / "in.jpg").read_bytes()
    anonymous_picture(tmp_path / "in.jpg", tmp_path / "out")
    assert b"QuokkaVision" not in (tmp_path / "out").read_bytes()
    with Image.open(tmp_path / "out") as picture:
        assert (picture.format, picture.size, dict(picture.getexif())) == ("WEBP", (40, 80), {})
        shown = np.asarray(picture.convert("L"))
    assert shown[:35].min() > 200
    assert shown[45:].max() < 50


def test_large_pictures_are_made_smaller_and_broken_ones_refused(tmp_path):
    Image.new("RGBA", (3000, 1500), (0, 0, 0, 0)).save(tmp_path / "in.png")
    anonymous_picture(tmp_path / "in.png", tmp_path / "out")
    with Image.open(tmp_path / "out") as picture:
        assert picture.size == (1024, 512)
        assert np.asarray(picture).min() == 255  # what was transparent is white
    (tmp_path / "bad.png").write_bytes(b"nothing")
    with pytest.raises(UnreadablePicture, match=r"bad\.png"):
        anonymous_picture(tmp_path / "bad.png", tmp_path / "out")
