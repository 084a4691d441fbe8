from __future__ import annotations

import pickle
import sys
import time
from fractions import Fraction
from subprocess import run

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.errors import VideoError
from ipvg_eval.video import decode, index_frames, sequence

OPEN_GOP = {"x264-params": "open-gop=1:bframes=3:b-adapt=0:keyint=10:min-keyint=1:scenecut=0"}
KINDS = {
    "b-frames": {"options": {"bf": "3"}},
    "open-gop": {"options": OPEN_GOP},
    "no-b-frames": {"options": {"tune": "zerolatency"}},
    "variable": {"ticks": [i * 40 + (i % 3) * 13 for i in range(30)], "time_base": Fraction(1, 1000)},
    "negative-start": {"ticks": [i * 100 - 350 for i in range(30)], "time_base": Fraction(1, 1600)},
    "sound": {"audio": True},
    "fragmented": {"container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "10-bit": {"pixel_format": "yuv420p10le"},
    "4:4:4": {"pixel_format": "yuv444p"},
    "odd": {"pixel_format": "yuv444p", "width": 145, "height": 97},
    "not-a-multiple": {"width": 146, "height": 98},
    "full-range": {"color_range": 2},
    "bt709": {"colorspace": 1},
    "hevc": {"codec": "libx265", "options": {"x265-params": "log-level=none"}},
    "mpeg4": {"codec": "mpeg4"},
    "matroska": {"suffix": ".mkv"},
    "transport-stream": {"suffix": ".ts"},
}


def _all(path, indices=None, **limits):
    index = index_frames(path)
    decoding = decode(
        path, range(index.clip.frame_count) if indices is None else indices, index=index, **limits
    )
    batches = list(decoding)
    numbers = [i for batch in batches for i in batch.indices]
    return numbers, np.concatenate([batch.frames for batch in batches]), decoding


@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_equals_a_plain_decode(make, films, kind):
    path = make(**KINDS[kind])
    numbers, frames, decoding = _all(path)
    expected = films.every_frame(path)
    assert numbers == list(range(len(expected)))
    np.testing.assert_array_equal(frames, expected)
    hidden = 30 - len(expected)  # an edit list hides the first few
    assert [films.number_of(frame) for frame in frames] == list(range(hidden, 30))
    assert (decoding.damage, decoding.missing, decoding.note) == (None, (), None)


@pytest.mark.parametrize("suffix", [".avi", ".h264"])
def test_files_without_time_stamps_go_by_order(make, films, suffix):
    numbers, frames, decoding = _all(make(suffix=suffix))
    assert numbers == [films.number_of(frame) for frame in frames] == list(range(30))
    assert decoding.damage is None


@pytest.mark.parametrize("kind", ["b-frames", "10-bit", "4:4:4", "odd", "full-range", "bt709"])
def test_pixels_equal_those_of_opencv(make, kind):
    path = make(**KINDS[kind])
    capture = cv2.VideoCapture(str(path))
    expected = np.stack([capture.read()[1][..., ::-1] for _ in range(30)])
    capture.release()
    np.testing.assert_array_equal(_all(path)[1], expected)


def test_colours_are_those_of_the_picture(make, films):
    # Nearly lossless BT.601 limited range, which the writer does not declare.
    frames = _all(make(pixel_format="yuv444p", options={"qp": "1"}))[1]
    truth = np.stack([films.picture(i) for i in range(30)])
    assert np.abs(frames.astype(int) - truth).mean() < 2


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotated_video_comes_out_upright(make, films, degrees):
    path = make(display=(degrees, False, False))
    numbers, frames, _ = _all(path, [3, 17])
    assert numbers == [3, 17]
    assert frames.flags.c_contiguous
    upright = np.rot90(films.every_frame(path)[[3, 17]], degrees // 90, axes=(1, 2))
    np.testing.assert_array_equal(frames, upright)


@settings(max_examples=25, deadline=None)
@given(wanted=st.sets(st.integers(0, 29)), batch_size=st.integers(1, 9), threads=st.sampled_from([1, 2, 4]))
def test_any_subset_equals_the_full_decode(b_frames, wanted, batch_size, threads):
    path, index, expected = b_frames
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sequence, "_THREADS", threads)
        batches = list(decode(path, wanted, index=index, batch_size=batch_size))
    assert [i for batch in batches for i in batch.indices] == sorted(wanted)
    assert all(1 <= len(batch.indices) <= batch_size for batch in batches)
    for batch in batches:
        np.testing.assert_array_equal(batch.frames, expected[list(batch.indices)])
        assert batch.times == pytest.approx([i / 16 for i in batch.indices])


@pytest.fixture(scope="module")
def b_frames(tmp_path_factory, films):
    path = tmp_path_factory.mktemp("subset") / "video.mp4"
    films.write(path, films.Recipe(options=OPEN_GOP))
    return path, index_frames(path), films.every_frame(path)


def test_a_batch_stays_within_its_bytes(make):
    frame_bytes = 144 * 96 * 3
    index = index_frames(path := make())
    batches = list(decode(path, range(30), index=index, batch_bytes=4 * frame_bytes + 1))
    assert [len(batch.indices) for batch in batches] == [4] * 7 + [2]
    assert all(batch.frames.nbytes <= 4 * frame_bytes for batch in batches)
    assert [len(b.indices) for b in decode(path, range(3), index=index, batch_bytes=1)] == [1, 1, 1]


def test_memory_does_not_grow_with_the_length_of_the_video(make):
    # 250 frames are 172 MB of pixels.
    path = make(frames=250, width=640, height=360, options={"preset": "ultrafast"})
    script = (
        "import resource, sys; from pathlib import Path; from ipvg_eval.video import decode, index_frames\n"
        "path = Path(sys.argv[1]); index = index_frames(path)\n"
        "start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "assert sum(len(b.indices) for b in decode(path, range(250), index=index, batch_size=8)) == 250\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start)\n"
    )
    done = run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 60 * 1024  # KiB: a few batches of 5.5 MB and the decoder's own frames


def test_decoding_stops_after_the_last_wanted_frame(make):
    path = make(frames=200, options={"preset": "ultrafast"})
    index = index_frames(path)
    read = []
    original = sequence._Decoder._place

    def counting(self, frame, given):
        read.append(frame.pts)
        return original(self, frame, given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sequence._Decoder, "_place", counting)
        assert [b.indices for b in decode(path, [0, 5], index=index)] == [(0, 5)]
    assert len(read) < 12


def test_a_change_of_size_is_scaled_and_noted(films, tmp_path):
    parts = [
        films.write(
            tmp_path / f"{width}.h264", films.Recipe(suffix=".h264", width=width, height=height, frames=6)
        )
        for width, height in ((144, 96), (288, 192))
    ]
    path = tmp_path / "both.h264"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    numbers, frames, decoding = _all(path)
    assert numbers == list(range(12))
    assert frames.shape == (12, 96, 144, 3)
    assert "from 144x96 to 288x192" in decoding.note
    assert decoding.damage is None
    # The second part shows the same pattern at twice the size: its blocks are 8 pixels after scaling.
    wide = np.repeat(np.repeat(frames[6:], 2, axis=1), 2, axis=2)
    assert [films.number_of(frame) for frame in wide] == list(range(6))


def test_the_receivers_time_does_not_count(plain):
    index = index_frames(plain)
    seen = 0
    for _ in decode(plain, range(30), index=index, batch_size=10, time_limit=0.5):
        time.sleep(0.3)
        seen += 1
    assert seen == 3


def test_decoding_is_bounded_in_time(plain):
    with pytest.raises(VideoError, match="stopped after 0 s"):
        list(decode(plain, range(30), index=index_frames(plain), time_limit=0))


def test_a_decoding_that_is_not_exhausted_closes_its_file(plain, open_files):
    index = index_frames(plain)
    before = open_files()
    with decode(plain, range(30), index=index, batch_size=1) as decoding:
        next(iter(decoding))
        assert open_files() == before + 1
    assert open_files() == before


def test_nothing_wanted_is_nothing_decoded(plain):
    decoding = decode(plain, [], index=index_frames(plain))
    assert (list(decoding), decoding.damage, decoding.missing) == ([], None, ())


@pytest.mark.parametrize("indices", [[-1], [30], [0, 99]])
def test_indices_outside_the_video_are_refused(plain, indices):
    with pytest.raises(ValueError, match="30 frames"):
        decode(plain, indices, index=index_frames(plain))


def test_what_goes_in_and_comes_out_can_cross_a_process_border(plain):
    index = pickle.loads(pickle.dumps(index_frames(plain)))
    batch = next(iter(decode(plain, [2], index=index)))
    again = pickle.loads(pickle.dumps(batch))
    assert again.indices == (2,)
    np.testing.assert_array_equal(again.frames, batch.frames)


def test_importing_the_package_does_not_import_torch():
    script = "import sys, ipvg_eval.video; sys.exit('torch' in sys.modules)"
    assert run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize(
    ("name", "count", "fps"),
    [
        ("generated_720p_81f.mp4", 81, 16),
        ("generated_face_480p.mp4", 69, 15),
        ("real_two_people_1080p.mp4", 105, 25),
    ],
)
def test_real_videos_equal_opencv(shared_data, name, count, fps):
    path = shared_data / "videos" / name
    index = index_frames(path)
    assert (index.clip.frame_count, index.clip.fps) == (count, fps)
    wanted = [0, count // 2, count - 1]
    frames = np.concatenate([batch.frames for batch in decode(path, wanted, index=index)])
    capture = cv2.VideoCapture(str(path))
    read = [capture.read()[1][..., ::-1] for _ in range(count)]
    capture.release()
    np.testing.assert_array_equal(frames, np.stack([read[i] for i in wanted]))
