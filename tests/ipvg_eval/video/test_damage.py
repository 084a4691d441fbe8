from __future__ import annotations

import numpy as np
import pytest

from ipvg_eval.errors import VideoError
from ipvg_eval.video import check_all_frames, decode, index_frames, sequence

OPEN_GOP = {"x264-params": "open-gop=1:bframes=3:b-adapt=0:keyint=10:min-keyint=1:scenecut=0"}


def _decode(path):
    index = index_frames(path)
    decoding = decode(path, range(index.clip.frame_count), index=index)
    frames = {i: frame for batch in decoding for i, frame in zip(batch.indices, batch.frames, strict=True)}
    return frames, decoding


def _untouched(parts, broken):
    """Frames that cannot depend on the broken one: decoded before it, or behind a later key frame."""
    position = parts.index(broken)
    key = next((k for k in range(position + 1, len(parts)) if parts[k].key), len(parts))
    later = [p.number for p in parts[key:] if p.number >= parts[key].number] if key < len(parts) else []
    return sorted([p.number for p in parts[:position]] + later)


@pytest.mark.parametrize(
    "fields", [{}, {"options": OPEN_GOP}, {"codec": "mpeg4"}], ids=["h264", "open", "mpeg4"]
)
@pytest.mark.parametrize("position", [1, 2, 8, 14, 29])
def test_what_depends_on_a_damaged_frame_is_left_out_and_recorded(make, films, fields, position):
    path = make(**fields)
    parts = films.samples(path)
    broken = parts[position]
    frames, decoding = _decode(films.wreck(path, broken))
    assert sorted(frames) == _untouched(parts, broken)
    expected = films.every_frame(path)
    for i, frame in frames.items():
        np.testing.assert_array_equal(frame, expected[i])
    assert f"first frame {broken.number} at {broken.number / 16:.3f} s" in decoding.damage
    assert sorted([*frames, *decoding.missing]) == list(range(30))


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("cut", [7, 13, 24, 29])
@pytest.mark.parametrize("inside", [False, True])
def test_a_cut_file_gives_the_frames_before_the_cut(
    plain, films, tmp_path, monkeypatch, threads, cut, inside
):
    monkeypatch.setattr(sequence, "_THREADS", threads)
    parts = films.samples(plain)
    path = tmp_path / "cut.mp4"
    path.write_bytes(plain.read_bytes()[: parts[cut].start + (parts[cut].size // 2 if inside else 0)])
    frames, decoding = _decode(path)
    whole = sorted(part.number for part in parts[:cut])
    expected = films.every_frame(plain)
    times = index_frames(path).clip.times
    assert [round(times[i] * 16) for i in sorted(frames)] == whole
    for i, frame in frames.items():
        np.testing.assert_array_equal(frame, expected[round(times[i] * 16)])
    assert ("its data are cut off" in decoding.damage) == inside
    assert ("lie beyond its end" in decoding.damage) == (cut + inside < 30)
    assert len(decoding.missing) == inside


# The examples are fixed, that a decoder notices every kind of damage cannot be promised: every frame once.
# Hypothesis would not do: what it draws without randomness depends on which modules happen to be imported.
KEPT = np.random.default_rng(0).uniform(0, 0.9, 30)


@pytest.mark.parametrize(("position", "kept"), list(enumerate(KEPT)))
def test_overwritten_bytes_never_crash_and_never_give_wrong_pixels_unseen(small, position, kept):
    path, parts, original, expected = small
    part = parts[position]
    start = part.start + int(kept * part.size)
    wrecked = bytearray(original)
    wrecked[start : part.start + part.size] = bytes(part.start + part.size - start)
    path.write_bytes(wrecked)
    try:
        frames, decoding = _decode(path)
    except VideoError:
        assert part.key
        return
    wrong = [i for i, frame in frames.items() if not np.array_equal(frame, expected[i])]
    assert not wrong
    if len(frames) < 30:
        assert decoding.damage is not None


@pytest.fixture(scope="module")
def small(tmp_path_factory, films):
    path = tmp_path_factory.mktemp("damage") / "video.mp4"
    films.write(path, films.Recipe())
    return path, films.samples(path), path.read_bytes(), films.every_frame(path)


def test_nothing_decodable_is_an_error(make, films):
    path = make(frames=6, key_interval=100)
    wrecked = films.wreck(path, films.samples(path)[0])
    with pytest.raises(VideoError, match="none of the wanted frames decodes") as caught:
        _decode(wrecked)
    assert str(wrecked) in str(caught.value)


def test_a_sound_video_passes_the_deep_check(plain):
    check = check_all_frames(plain)
    assert (check.decoded, check.first_bad_time, check.reason) == (30, None, None)


@pytest.mark.parametrize("position", [0, 3, 20])
def test_the_deep_check_names_the_first_bad_time(plain, films, position):
    parts = films.samples(plain)
    check = check_all_frames(films.wreck(plain, parts[position]))
    sound = _untouched(parts, parts[position])
    assert check.decoded == len(sound)
    first_lost = min(set(range(30)) - set(sound))
    assert check.first_bad_time == pytest.approx(first_lost / 16)
    assert "do not decode" in check.reason


def test_the_deep_check_sees_a_cut_tail(plain, films, tmp_path):
    parts = films.samples(plain)
    end = next(k for k in range(len(parts) - 1, 0, -1) if parts[k].key)  # cut before the last key frame
    path = tmp_path / "cut.mp4"
    path.write_bytes(plain.read_bytes()[: parts[end].start])
    check = check_all_frames(path)
    assert check.decoded == end
    assert check.first_bad_time == pytest.approx(end / 16)
    assert "ends early" in check.reason


def test_the_deep_check_sees_repeated_time_stamps(make):
    path = make(options={"bf": "0"})
    data = bytearray(path.read_bytes())
    table = data.index(b"stts") + 8  # number of runs, then (samples, ticks between them) for each
    assert int.from_bytes(data[table : table + 4], "big") == 1, "an evenly timed file has one run"
    data[table + 8 : table + 12] = bytes(4)
    path.write_bytes(data)
    index = index_frames(path)
    assert index.first_repeated_time == 1
    check = check_all_frames(path)
    assert check.first_bad_time == 0.0
    assert "frames 0 and 1 have the same time stamp" in check.reason


def test_the_deep_check_sees_missing_time_stamps(make):
    check = check_all_frames(make(suffix=".h264"))
    assert (check.decoded, check.first_bad_time) == (30, 0.0)
    assert "no time stamps" in check.reason


def test_nothing_is_printed(plain, films, capfd):
    check_all_frames(films.wreck(plain, films.samples(plain)[3]))
    assert capfd.readouterr() == ("", "")
