from __future__ import annotations

import io
import zipfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from ipvg_eval.errors import VideoError
from ipvg_eval.video import first_frame, probe


def test_the_header_says_what_the_recipe_asked_for(make):
    header = probe(make(frames=30, fps=16, audio=True))
    assert (header.codec, header.profile, header.pixel_format) == ("h264", "High", "yuv420p")
    assert (header.width, header.height, header.coded_width, header.coded_height) == (144, 96, 144, 96)
    assert (header.video_streams, header.audio_streams) == (1, 1)
    assert (header.frame_count, header.fps, header.duration) == (30, 16.0, 30 / 16)
    assert (header.rotation, header.mirrored, header.sample_aspect_ratio) == (0, False, 1)
    assert (header.variable_frame_rate, header.interlaced) == (False, False)
    assert header.first_frame_error is None
    assert header.is_mp4
    assert header.major_brand == "isom"


@pytest.mark.parametrize(
    ("fields", "codec", "pixel_format"),
    [
        ({"pixel_format": "yuv420p10le"}, "h264", "yuv420p10le"),
        ({"pixel_format": "yuv444p", "width": 145, "height": 97}, "h264", "yuv444p"),
        ({"codec": "mpeg4"}, "mpeg4", "yuv420p"),
        ({"codec": "libx265", "options": {"x265-params": "log-level=none"}}, "hevc", "yuv420p"),
        ({"codec": "mjpeg", "pixel_format": "yuvj420p"}, "mjpeg", "yuvj420p"),
    ],
)
def test_codec_and_pixel_format_are_named(make, fields, codec, pixel_format):
    header = probe(make(**fields))
    assert (header.codec, header.pixel_format) == (codec, pixel_format)
    assert (header.width, header.height) == (fields.get("width", 144), fields.get("height", 96))
    assert header.first_frame_error is None


@pytest.mark.parametrize(
    ("suffix", "mp4"), [(".mp4", True), (".mov", False), (".mkv", False), (".ts", False)]
)
def test_only_mp4_is_mp4(make, suffix, mp4):
    assert probe(make(suffix=suffix)).is_mp4 is mp4


def test_the_name_of_a_file_does_not_decide_what_it_is(make, tmp_path):
    renamed = make(suffix=".mkv").rename(tmp_path / "a.mp4")
    assert not probe(renamed).is_mp4


@pytest.mark.parametrize("name", ["a:b c", "http:x", "视频 é", "pipe:0", "concat:a|b", "100%d"])
def test_any_file_name_opens(make, name):
    assert probe(make(name)).frame_count == 30


def test_variable_frame_rate_is_told_from_rounded_time_stamps(make):
    thousandth = Fraction(1, 1000)
    steady = make("steady", fps=30, ticks=[round(i * 1000 / 30) for i in range(30)], time_base=thousandth)
    uneven = make("uneven", fps=30, ticks=[i * 33 + (i // 10) * 40 for i in range(30)], time_base=thousandth)
    assert probe(steady).variable_frame_rate is False
    assert probe(uneven).variable_frame_rate is True


def test_a_fragmented_file_declares_no_frame_count(make):
    header = probe(make(container_options={"movflags": "frag_keyframe+empty_moov"}))
    assert header.frame_count is None
    assert header.variable_frame_rate is False


def test_a_file_object_gives_the_same_header_and_stays_open(plain, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(plain, "video.mp4")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive, archive.open("video.mp4") as member:
        header = probe(member, name=str(plain))
        pixels = first_frame(member)
        assert not member.closed
    assert header == probe(plain)
    np.testing.assert_array_equal(pixels, first_frame(plain))


def test_sound_alone_is_a_header_without_video(tmp_path):
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    header = probe(path)
    assert (header.video_streams, header.audio_streams, header.codec, header.width) == (0, 1, None, 0)
    with pytest.raises(VideoError, match="no video stream"):
        first_frame(path)


def test_two_video_streams_are_counted(tmp_path, films):
    path = tmp_path / "two.mp4"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("libx264", rate=16) for _ in range(2)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = 144, 96, "yuv420p"
        for stream in streams:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(films.picture(0), "rgb24")))
        for stream in streams:
            container.mux(stream.encode(None))
    assert probe(path).video_streams == 2


def _refusal(path: Path) -> str:
    with pytest.raises(VideoError) as caught:
        probe(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert caught.value.hint
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (bytes(5000), "only zero bytes"),
        ("Prompt: a man – smiling.\r\n".encode() * 100, "text file"),
        (b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:1/a.ts\n#EXT-X-ENDLIST\n", "text file"),
        (b"ffconcat version 1.0\nfile plain.mp4\n", "text file"),
        (b"PK\x03\x04" + bytes(100), "zip archive"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "PNG picture"),
        (np.random.default_rng(0).bytes(5000), "not a video file"),
    ],
)
def test_what_is_no_video_is_refused_with_the_reason(tmp_path, data, reason):
    path = tmp_path / "video.mp4"
    path.write_bytes(data)
    assert reason in _refusal(path)


def test_a_missing_file_is_refused(tmp_path):
    assert "cannot be read" in _refusal(tmp_path / "none.mp4")


def test_a_folder_is_refused(tmp_path):
    (tmp_path / "folder.mp4").mkdir()
    assert "cannot be read" in _refusal(tmp_path / "folder.mp4")


def test_a_file_without_its_header_is_refused(make, tmp_path):
    whole = make().read_bytes()  # the index is written last
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) // 2])
    assert "moov box) is missing" in _refusal(cut)


def test_a_cut_header_is_refused(plain, tmp_path):
    whole = plain.read_bytes()  # the index is in front
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: whole.index(b"moov") + 100])
    assert "moov box) is cut off" in _refusal(cut)


def test_a_cut_tail_shows_in_the_header(plain, tmp_path):
    whole = plain.read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[:-1000])
    assert probe(plain).missing_bytes == 0
    assert probe(cut).missing_bytes == 1000
    assert probe(cut).first_frame_error is None


def test_a_damaged_first_frame_shows_in_the_header(plain, films):
    wrecked = films.wreck(plain, films.samples(plain)[0])
    assert probe(wrecked).first_frame_error is not None
    with pytest.raises(VideoError, match="first frame does not decode"):
        first_frame(wrecked)


def test_later_damage_does_not_touch_the_first_frame(plain, films):
    wrecked = films.wreck(plain, films.samples(plain)[1])
    np.testing.assert_array_equal(first_frame(wrecked), films.every_frame(plain)[0])


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("mirror", [False, True])
def test_rotation_and_mirroring_describe_the_upright_picture(make, films, degrees, mirror):
    path = make(display=(degrees, mirror, False), frames=2)
    header = probe(path)
    stored = films.every_frame(path)[0]
    upright = np.rot90(stored, degrees // 90)  # the writer turns counter-clockwise and mirrors afterwards
    upright = upright[:, ::-1] if mirror else upright
    np.testing.assert_array_equal(first_frame(path), upright)
    assert (header.height, header.width) == upright.shape[:2]
    assert (header.coded_height, header.coded_width) == stored.shape[:2]
    assert header.mirrored is mirror
    turned = np.rot90(stored[:, ::-1] if header.mirrored else stored, -header.rotation // 90)
    np.testing.assert_array_equal(turned, upright)


def test_nothing_is_left_open(plain, tmp_path, open_files):
    before = open_files()
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"x" * 100)
    for _ in range(5):
        probe(plain)
        with pytest.raises(VideoError):
            probe(bad)
        with plain.open("rb") as file, io.BytesIO(file.read()) as memory:
            probe(memory)
    assert open_files() == before


def test_wherever_a_file_is_cut_it_is_called_cut_or_has_its_video(make, tmp_path):
    data = make(frames=5).read_bytes()
    assert data.index(b"moov") > data.index(b"mdat")
    path = tmp_path / "cut.mp4"
    opened = []
    for size in range(data.index(b"moov"), len(data), 9):
        path.write_bytes(data[:size])
        try:
            header = probe(path)
        except VideoError as error:
            opened.append("cut off" in error.message)
        else:
            opened.append(header.video_streams == 1)
    assert all(opened)
