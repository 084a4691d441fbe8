from __future__ import annotations

import pickle
from fractions import Fraction

import pytest

from ipvg_eval.errors import VideoError
from ipvg_eval.video import index_frames

OPEN_GOP = {"x264-params": "open-gop=1:bframes=3:b-adapt=0:keyint=10:min-keyint=1:scenecut=0"}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"options": OPEN_GOP},
        {"audio": True},
        {"container_options": {"movflags": "frag_keyframe+empty_moov"}},
        {"suffix": ".mkv"},
        {"suffix": ".ts"},
        {"codec": "libx265", "options": {"x265-params": "log-level=none"}},
    ],
)
def test_frames_are_counted_and_timed_whatever_the_container_says(make, fields):
    clip = index_frames(make(frames=30, fps=16, **fields)).clip
    assert clip.frame_count == 30
    assert clip.fps == pytest.approx(16, rel=1e-3)
    # Matroska rounds to milliseconds.
    assert clip.times == pytest.approx([i / 16 for i in range(30)], abs=1e-3)
    assert clip.duration == pytest.approx(30 / 16, abs=2e-3)
    assert (clip.width, clip.height) == (144, 96)


def test_variable_frame_rate_keeps_every_time(make):
    ticks = [i * 40 + (i % 3) * 13 for i in range(30)]
    clip = index_frames(make(ticks=ticks, time_base=Fraction(1, 1000))).clip
    assert clip.times == pytest.approx([tick / 1000 for tick in ticks], abs=1e-6)
    assert clip.fps == pytest.approx(29 / (ticks[-1] / 1000))


def test_times_count_from_the_first_frame(make):
    clip = index_frames(make(ticks=[350 + 100 * i for i in range(30)], time_base=Fraction(1, 1600))).clip
    assert clip.times == pytest.approx([i / 16 for i in range(30)])


def test_frames_that_an_edit_list_hides_do_not_count(make, films):
    # Four frames lie before time zero: the muxer hides them behind an edit list.
    path = make(ticks=[100 * i - 350 for i in range(30)], time_base=Fraction(1, 1600))
    assert len(films.every_frame(path)) == 26
    clip = index_frames(path).clip
    assert clip.frame_count == 26
    assert clip.times == pytest.approx([i / 16 for i in range(26)])


def test_without_time_stamps_frames_lie_in_the_middle_of_their_interval(make):
    index = index_frames(make(suffix=".h264", frames=10))
    assert index.pts is None
    # A raw stream has no rate either; FFmpeg takes 25.
    assert index.clip.times == pytest.approx([(i + 0.5) / 25 for i in range(10)])


def test_a_single_frame_has_the_rate_of_its_container(make):
    clip = index_frames(make(frames=1, fps=16)).clip
    assert (clip.frame_count, clip.times, clip.fps, clip.duration) == (1, (0.0,), 16.0, 1 / 16)


def test_the_size_is_that_of_the_upright_picture(make):
    clip = index_frames(make(display=(90, False, False))).clip
    assert (clip.width, clip.height) == (96, 144)


def test_a_cut_file_counts_the_frames_that_are_in_it(plain, films, tmp_path):
    parts = films.samples(plain)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(plain.read_bytes()[: parts[12].start + parts[12].size])
    index = index_frames(cut)
    assert index.clip.frame_count == 13
    assert "17 of 30 frames" in index.damage
    assert index_frames(plain).damage is None


def test_a_cut_frame_is_marked(plain, films, tmp_path):
    parts = films.samples(plain)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(plain.read_bytes()[: parts[12].start + 5])
    index = index_frames(cut)
    assert [index.decode_position[i] for i in index.incomplete] == [12]


def test_the_order_of_decoding_is_that_of_the_file(make, films):
    path = make(options=OPEN_GOP)
    index = index_frames(path)
    parts = films.samples(path)
    for position, part in enumerate(parts):
        assert index.decode_position[part.number] == position
        assert index.settled[part.number] == max(p.number for p in parts[: position + 1])
    keys = [position for position, part in enumerate(parts) if part.key]
    leading = [p for k in keys[1:] for p in parts[k:] if p.number < parts[k].number]
    assert leading, "the file has no open group of pictures"
    for position, part in enumerate(parts):
        before = [k for k in keys if k <= position and parts[k].number <= part.number]
        assert index.chain_start[part.number] == before[-1]


def test_an_index_can_be_pickled(plain):
    index = index_frames(plain)
    assert pickle.loads(pickle.dumps(index)) == index


def test_a_file_without_frames_is_refused(plain, films, tmp_path):
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(plain.read_bytes()[: films.samples(plain)[0].start])
    with pytest.raises(VideoError, match="no frame"):
        index_frames(cut)


def test_reading_is_bounded_in_time(plain):
    with pytest.raises(VideoError, match="took longer"):
        index_frames(plain, time_limit=0)
