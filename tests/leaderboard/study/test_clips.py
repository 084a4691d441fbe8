"""Clips show what a player shows, and are the same bytes outside their pictures."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from skimage.metrics import structural_similarity
from traces import TRACES, holds

from ipvg_eval.core.errors import UnreadablePicture
from ipvg_eval.leaderboard.study.clips import CRF, Facts, common_shape, encode, look, pad
from ipvg_eval.leaderboard.study.errors import StudyError
from ipvg_eval.leaderboard.study.pictures import anonymous_picture

TEAM = "QuokkaVision"
FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "submissions"


def decoded(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def clip(source: Path, target: Path, **more) -> list[int]:
    sizes = encode(source, target, common_shape([look(source)]), **more)
    pad(target, target.with_name("padded"), sizes)
    return sizes


def luma(pixels: np.ndarray) -> np.ndarray:
    return pixels @ np.array([0.299, 0.587, 0.114])


@pytest.mark.parametrize("video", ["careful/id001/prompt1.mp4", "careless/id002/prompt5.mp4"])
def test_a_clip_is_visually_lossless(tmp_path, video):
    """CRF 14: every frame's luma has an SSIM of 0.98 and more, their mean 0.99."""
    assert CRF == 14
    clip(FIXTURES / video, tmp_path / "clip")
    before, after = decoded(FIXTURES / video), decoded(tmp_path / "padded")
    assert before.shape == after.shape
    scores = [
        structural_similarity(luma(one), luma(other), data_range=255)
        for one, other in zip(before, after, strict=True)
    ]
    assert min(scores) > 0.98
    assert np.mean(scores) > 0.99
    assert abs(before.astype(float).mean() - after.astype(float).mean()) < 0.5  # no darker, no paler


@pytest.mark.parametrize(
    ("suffix", "more"),
    [
        (".mp4", {}),
        (".webm", {"codec": "libvpx-vp9"}),
        (".avi", {"codec": "mpeg4"}),
        (".mp4", {"pix_fmt": "yuv444p"}),
        (".mp4", {"codec": "libx265"}),
    ],
)
def test_every_clip_is_encoded_anew_and_loses_its_traces(write_clip, tmp_path, suffix, more):
    source = write_clip(tmp_path / TEAM / f"source{suffix}", frames=8, team=TEAM, **more)
    clip(source, tmp_path / "clip")
    made = tmp_path / "padded"
    assert not holds(made, [*TRACES, TEAM.encode(), str(tmp_path).encode()])
    with av.open(str(made)) as container:
        assert [stream.type for stream in container.streams] == ["video"]
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert stream.time_base == Fraction(1, 90_000)
        kinds = {unit for packet in container.demux(stream) for unit in units(bytes(packet))}
        assert kinds == {1, 5, 12}  # slices and filler: no SEI, nothing unknown
    assert look(made).seconds == pytest.approx(0.5, abs=1e-3)
    content = made.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def units(packet: bytes) -> list[int]:
    """Types of the NAL units of a packet with lengths of four bytes."""
    types, at = [], 0
    while at < len(packet):
        types.append(packet[at + 4] & 31)
        at += 4 + int.from_bytes(packet[at : at + 4], "big")
    assert at == len(packet)
    return types


def test_clips_of_one_shape_differ_in_their_compressed_pictures_alone(write_clip, tmp_path):
    """Codec, time base, GOP, pixel format, rate and length of the sources leave no mark."""
    sources = [
        write_clip(tmp_path / "a.mp4", frames=16),
        write_clip(tmp_path / "b.webm", frames=16, codec="libvpx-vp9", shade=40),
        write_clip(tmp_path / "c.mkv", frames=8, fps=8, pix_fmt="yuv444p"),
        write_clip(tmp_path / "d.avi", frames=12, codec="mpeg4"),
    ]
    shape = common_shape([look(source) for source in sources])
    assert (shape.rate, shape.count) == (16, 16)
    jobs = [*((source, None) for source in sources), (sources[0], 5)]
    sizes = [encode(source, tmp_path / f"{n}", shape, spoil) for n, (source, spoil) in enumerate(jobs)]
    assert len({sum(size) for size in sizes}) > 1
    for n in range(len(jobs)):
        pad(tmp_path / f"{n}", tmp_path / f"padded{n}", [max(place) for place in zip(*sizes, strict=True)])
    contents = [(tmp_path / f"padded{n}").read_bytes() for n in range(len(jobs))]
    assert len({len(content) for content in contents}) == 1
    assert len({content[: content.index(b"mdat")] for content in contents}) == 1
    assert len(set(contents)) == len(contents)


def test_sound_is_kept_at_one_size_or_dropped(write_clip, tmp_path):
    silent = write_clip(tmp_path / "silent.mp4", frames=16)
    loud = write_clip(tmp_path / "loud.mp4", frames=16, tone=440)
    facts = [look(silent), look(loud)]
    assert [fact.sound for fact in facts] == [False, True]
    shape = common_shape(facts, keep_sound=True)
    sizes = [encode(source, tmp_path / f"{n}", shape) for n, source in enumerate((silent, loud))]
    for n in range(2):
        pad(tmp_path / f"{n}", tmp_path / f"padded{n}", [max(place) for place in zip(*sizes, strict=True)])
    contents = [(tmp_path / f"padded{n}").read_bytes() for n in range(2)]
    assert contents[0][: contents[0].index(b"mdat")] == contents[1][: contents[1].index(b"mdat")]
    heard = []
    for n in range(2):
        with av.open(str(tmp_path / f"padded{n}")) as container:
            frames = list(container.decode(audio=0))
            heard.append(np.concatenate([frame.to_ndarray()[0] for frame in frames]))
    assert np.abs(heard[0]).max() < 1e-3
    middle = heard[1][12_000:36_000]
    spectrum = np.abs(np.fft.rfft(middle))
    assert np.argmax(spectrum) * 48_000 / len(middle) == pytest.approx(440, abs=2)
    assert middle.std() == pytest.approx(8000 / 32768 / np.sqrt(2), rel=0.1)
    clip(loud, tmp_path / "dropped")
    with av.open(str(tmp_path / "padded")) as container:
        assert not container.streams.audio


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_turned_videos_stand_upright(write_clip, tmp_path, degrees):
    upright = decoded(write_clip(tmp_path / "upright.mp4", frames=4))
    source = write_clip(tmp_path / "turned.mp4", frames=4, rotation=degrees)
    clip(source, tmp_path / "clip")
    with av.open(str(source)) as container:
        asked = next(container.decode(video=0)).rotation  # counter-clockwise
    expected = np.rot90(upright, asked // 90, axes=(1, 2))
    assert (asked - degrees) % 180 == 0
    assert np.abs(decoded(tmp_path / "padded").astype(float) - expected.astype(float)).mean() < 3


def test_pixels_that_are_not_square_are_shown_as_players_show_them(write_clip, tmp_path):
    """The same pictures stored half as wide, two to one: shown as wide as the others."""
    plain = write_clip(tmp_path / "plain.mp4", frames=4)
    narrow = tmp_path / "narrow.mp4"
    with av.open(str(plain)) as given, av.open(str(narrow), "w") as made:
        stream = made.add_stream("libx264", rate=16, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 160, 240, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(2, 1)
        for frame in given.decode(video=0):
            made.mux(stream.encode(frame.reformat(160, 240)))
        made.mux(stream.encode())
    with av.open(str(narrow)) as container:
        assert container.streams.video[0].sample_aspect_ratio == 2
    facts = [look(plain), look(narrow)]
    assert [(fact.width, fact.height) for fact in facts] == [(320, 240)] * 2
    clip(narrow, tmp_path / "clip")
    shown = decoded(tmp_path / "padded")
    assert shown.shape[1:3] == (240, 320)
    assert np.abs(shown.astype(float) - decoded(plain).astype(float)).mean() < 4


def test_pictures_of_another_shape_stand_between_bars_and_short_clips_keep_their_last_picture(
    write_clip, tmp_path
):
    source = write_clip(tmp_path / "a.mp4", frames=8)
    other = Facts(width=320, height=480, rate=8, seconds=1.5, sound=False)
    shape = common_shape([look(source), other])
    assert (shape.width, shape.height, shape.rate, shape.count) == (320, 480, 16, 24)
    encode(source, tmp_path / "clip", shape)
    shown, given = decoded(tmp_path / "clip").astype(float), decoded(source).astype(float)
    assert shown.shape == (24, 480, 320, 3)
    assert max(shown[:, :116].max(), shown[:, 364:].max()) < 12
    assert np.abs(shown[:8, 120:360] - given).mean() < 3
    assert np.abs(shown[8:, 120:360] - given[-1]).mean() < 3


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ([16], 16),
        ([16, 8], 16),
        ([23.976], 24),
        ([16, 24], 48),
        ([29.97, 15], 30),
        ([16, 25], 60),
        ([120], 60),
    ],
)
def test_one_rate_for_all_clips_of_a_sample(rates, expected):
    videos = [Facts(width=64, height=48, rate=rate, seconds=2, sound=False) for rate in rates]
    assert (common_shape(videos).rate, common_shape(videos).count) == (expected, 2 * expected)


def test_the_largest_picture_that_is_made():
    wide = Facts(width=4000, height=1000, rate=24, seconds=1, sound=False)
    tall = Facts(width=10, height=2000, rate=24, seconds=1, sound=False)
    assert (common_shape([wide]).width, common_shape([wide]).height) == (1920, 480)
    assert (common_shape([wide, tall]).width, common_shape([wide, tall]).height) == (1920, 960)


def test_a_clip_that_ends_early_keeps_what_decodes(write_clip, tmp_path):
    whole = write_clip(tmp_path / "whole.mkv", frames=32).read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) * 2 // 3])
    assert 0.3 < look(tmp_path / "cut.mkv").seconds < 2.0


@pytest.mark.parametrize("content", [b"", b"no video at all" * 50])
def test_what_does_not_decode_is_refused(tmp_path, content):
    (tmp_path / "source.mp4").write_bytes(content)
    with pytest.raises((StudyError, av.FFmpegError)):
        look(tmp_path / "source.mp4")


def test_large_and_long_videos_are_refused(tmp_path):
    for name, width, count, said in (("large", 4096, 1, "pixels"), ("long", 64, 122, "longer than 120 s")):
        with av.open(str(tmp_path / f"{name}.mp4"), "w") as made:
            stream = made.add_stream("libx264", rate=1, options={"preset": "ultrafast"})
            stream.width, stream.height, stream.pix_fmt = width, width, "yuv420p"
            for _ in range(count):
                made.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((width, width, 3), np.uint8))))
            made.mux(stream.encode())
        with pytest.raises(StudyError, match=said):
            look(tmp_path / f"{name}.mp4")


def test_a_corrupted_copy_is_as_long_and_far_worse(write_clip, tmp_path):
    source = write_clip(tmp_path / "source.mp4", frames=8)
    clip(source, tmp_path / "bad", spoil=0)
    real, bad = decoded(source).astype(float), decoded(tmp_path / "padded").astype(float)
    assert real.shape == bad.shape
    mse = ((real - bad) ** 2).mean()
    assert 10 * np.log10(255**2 / mse) < 18  # PSNR in dB; 30 and more is what lossy encoders give


def test_an_open_file_will_do(write_clip, tmp_path):
    source = write_clip(tmp_path / "source.mp4", frames=4)
    shape = common_shape([look(source)])
    with source.open("rb") as file:
        assert look(file) == look(source)
        assert encode(file, tmp_path / "file", shape) == encode(source, tmp_path / "path", shape)
    assert (tmp_path / "file").read_bytes() == (tmp_path / "path").read_bytes()


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
