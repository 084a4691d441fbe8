"""Every hostile video has its finding, and either gives frames or is refused with a reason."""

from __future__ import annotations

import io
import math
import struct
import time

import numpy as np
import pytest
from PIL import Image
from video_boxes import box, nested, with_fields, with_size
from video_files import cut, encode, rotated, sound_only, spoiled
from zip_files import pack

from ipvg_eval.decoding import DecoderProcess
from ipvg_eval.errors import VideoError
from ipvg_eval.sandbox import ProcessLimits
from ipvg_eval.validation import validate

LONG = 0xFFFFFFFF


def clip(**how):
    return lambda: encode(**({"seed": 9} | how))


def changed(change, **how):
    return lambda: change(encode(**({"seed": 9} | how)))


def fields(kind, /, **values):
    return changed(lambda data: with_fields(data, kind, **values))


def picture(file_format):
    def make():
        buffer = io.BytesIO()
        pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(buffer, format=file_format)
        return buffer.getvalue()

    return make


def noise(size):
    return lambda: np.random.default_rng(0).bytes(size)


def turned_askew(data):
    """A matrix of 45 degrees."""
    part = round(math.sqrt(0.5) * (1 << 16))
    return with_fields(data, b"tkhd", matrix=(part, part, 0, -part, part, 0, 0, 0, 1 << 30))


def matrix_of_zeros(data):
    return with_fields(data, b"tkhd", matrix=(0,) * 9)


def elsewhere(data):
    """A data reference to another file: an alias record (QuickTime) with an absolute path."""
    path = b"/etc/passwd"
    volume = bytes(10) + b"\x04disk".ljust(28, b"\0") + bytes(12)
    name = (bytes([6]) + b"passwd").ljust(64, b"\0") + bytes(16) + bytes(4) + bytes(16)
    absolute = struct.pack(">HH", 2, len(path)) + path + b"\0" + struct.pack(">HH", 0xFFFF, 0)
    entry = data.index(b"url ") - 4
    alias = box(b"alis", bytes(4) + volume + name + absolute)
    grown = data[:entry] + alias + data[entry + 12 :]
    for outer in (b"dref", b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        start = grown.index(outer) - 4
        size = int.from_bytes(grown[start : start + 4], "big")
        grown = with_size(grown, outer, size + len(alias) - 12)
    return grown


def without_edit_list(data):
    return without(b"edts")(data)


def without(kind):
    """The box renamed, so that its content is passed over."""
    return lambda data: data.replace(kind, b"junk", 1)


def two_sizes():
    """Two streams one after the other, of different picture sizes, without a container."""
    how = {"container": "h264", "frames": 6}
    return encode(seed=1, **how) + encode(seed=2, width=320, height=64, **how)


TEXT = b"<!doctype html><title>404</title> This video has moved.\n" * 40
PLAYLIST = b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
UNREADABLE = {"video-unreadable"}
TIMELESS = {"video-container", "video-duration", "video-variable-frame-rate"}
# name: (how to make it, codes of its findings, whether frames come out)
CASES = {
    "zero bytes": (lambda: b"", {"video-empty"}, False),
    "zeros": (lambda: bytes(5000), UNREADABLE, False),
    "noise": (noise(5000), UNREADABLE, False),
    "web page": (lambda: TEXT, UNREADABLE, False),
    "playlist of local files": (lambda: PLAYLIST, UNREADABLE, False),
    "list of files": (lambda: b"ffconcat version 1.0\nfile /etc/passwd\n", UNREADABLE, False),
    "session description": (
        lambda: b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
        UNREADABLE,
        False,
    ),
    "script": (lambda: b"#!/bin/sh\nrm -rf /\n", UNREADABLE, False),
    "pickle": (lambda: b"\x80\x04cos\nsystem\n(S'true'\ntR.", UNREADABLE, False),
    "zip": (lambda: pack([("a.mp4", b"x")]), UNREADABLE, False),
    "png": (picture("PNG"), UNREADABLE, False),
    "jpeg": (picture("JPEG"), UNREADABLE, False),
    "pdf": (lambda: b"%PDF-1.7\n" + bytes(500), UNREADABLE, False),
    "lfs pointer": (
        lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
        UNREADABLE,
        False,
    ),
    "gif": (
        clip(container="gif", codec="gif", pixel_format="rgb8"),
        {"video-container", "video-codec", "video-pixel-format"},
        True,
    ),
    "cut in half": (changed(lambda d: d[: len(d) // 2]), UNREADABLE, False),
    "moov missing": (changed(lambda d: d[: d.index(b"moov") - 4]), UNREADABLE, False),
    "moov passed over": (changed(without(b"moov")), UNREADABLE, False),
    "moov cut": (changed(lambda d: d[:-200]), {"video-undecodable"}, False),
    "moov too long": (changed(lambda d: with_size(d, b"moov", 0x7FFFFFFF)), set(), True),
    "moov too short": (changed(lambda d: with_size(d, b"moov", 64)), UNREADABLE, False),
    "ftyp alone": (changed(lambda d: d[:32]), UNREADABLE, False),
    "box of size one": (changed(lambda d: with_size(d, b"free", 1)), UNREADABLE, False),
    "box of size two": (changed(lambda d: with_size(d, b"free", 2)), UNREADABLE, False),
    "boxes nested deeply": (lambda: box(b"ftyp", b"isom" * 3) + nested(b"moov", 50_000), UNREADABLE, False),
    "frames cut": (changed(cut), {"video-truncated"}, True),
    "first frame spoiled": (changed(spoiled), {"video-undecodable"}, False),
    "hevc": (clip(codec="libx265"), {"video-codec"}, True),
    "av1": (clip(codec="libsvtav1"), {"video-codec"}, True),
    "mpeg-4 part 2": (clip(codec="mpeg4"), {"video-codec"}, True),
    "motion jpeg": (
        clip(codec="mjpeg", pixel_format="yuvj420p"),
        {"video-codec"},
        True,
    ),
    "vp9": (clip(codec="libvpx-vp9"), {"video-codec"}, True),
    "prores in quicktime": (
        clip(codec="prores_ks", pixel_format="yuv422p10le", container="mov"),
        {"video-container", "video-codec", "video-pixel-format"},
        True,
    ),
    "matroska": (clip(container="matroska"), {"video-container"}, True),
    "avi": (clip(container="avi"), {"video-container"}, True),
    "bare stream": (clip(container="h264"), TIMELESS, True),
    "size changes": (two_sizes, TIMELESS, True),
    "sound alone": (sound_only, {"video-streams"}, False),
    "two video streams": (clip(streams=2), {"video-streams"}, True),
    "one frame": (clip(frames=1), {"video-frame-count"}, True),
    "one pixel": (
        clip(width=1, height=1, pixel_format="yuv444p"),
        {"video-tiny", "video-odd-size", "video-pixel-format"},
        True,
    ),
    "16384 wide": (clip(width=16384, height=16, frames=8), {"video-huge", "video-tiny"}, True),
    "ten bits": (clip(pixel_format="yuv420p10le"), {"video-pixel-format"}, True),
    "4:4:4": (clip(pixel_format="yuv444p"), {"video-pixel-format"}, True),
    "4:2:2": (clip(pixel_format="yuv422p"), {"video-pixel-format"}, True),
    "interlaced": (clip(options=(("x264-params", "tff=1"),)), {"video-interlaced"}, True),
    "rotated": (changed(rotated), {"video-rotated"}, True),
    # Turned to the nearest right angle, which of the two at 45 degrees is none.
    "rotated askew": (changed(turned_askew), set(), True),
    "matrix of zeros": (changed(matrix_of_zeros), set(), True),
    "rate absurdly high": (
        fields(b"mdhd", timescale=16 * 10**6),
        {"video-duration", "video-frame-rate"},
        True,
    ),
    "rate absurdly low": (
        changed(lambda d: with_fields(without_edit_list(d), b"mdhd", timescale=1)),
        {"video-duration", "video-frame-rate"},
        True,
    ),
    "timescale zero": (fields(b"mdhd", timescale=0), {"video-frame-rate"}, True),
    # Frames before time 0 are hidden by an edit list: here all of them, below the first five of twelve.
    "negative time stamps": (
        clip(start=-30, container_options=(("avoid_negative_ts", "disabled"),)),
        {"video-undecodable"},
        False,
    ),
    "edit list hides a part": (fields(b"elst", media_time=5 * 1024), set(), True),
    "edit list hides everything": (fields(b"elst", media_time=10**9), {"video-undecodable"}, False),
    "edit list never ends": (fields(b"elst", count=LONG), set(), True),
    "edit list stands still": (fields(b"elst", rate=0), set(), True),
    # Not believed against the frames' own times, which is what the numbers are computed from.
    "duration gigantic": (fields(b"mdhd", duration=LONG - 1), set(), True),
    "duration gigantic in the edit list": (fields(b"elst", duration=LONG - 1), set(), True),
    "duration gigantic everywhere": (
        changed(
            lambda d: with_fields(
                with_fields(with_fields(d, b"mvhd", duration=LONG - 1), b"tkhd", duration=LONG - 1),
                b"mdhd",
                duration=LONG - 1,
            )
        ),
        set(),
        True,
    ),
    "duration gigantic, frames too": (
        changed(
            lambda d: with_fields(
                with_fields(without_edit_list(d), b"stts", delta=0x7FFFFFFF), b"mdhd", duration=LONG - 1
            )
        ),
        {"video-duration", "video-frame-rate"},
        True,
    ),
    "frames last for ever": (fields(b"stts", delta=0x7FFFFFFF), {"video-frame-rate"}, True),
    "frames last no time": (fields(b"stts", delta=0), set(), True),
    "four billion durations": (fields(b"stts", count=LONG), UNREADABLE, False),
    "four billion frames": (fields(b"stsz", count=LONG), UNREADABLE, False),
    "four billion frames of one size": (fields(b"stsz", size=1, count=LONG), {"video-undecodable"}, False),
    # The table ends where the file does; the chunks in it are the real ones.
    "four billion chunks": (fields(b"stco", count=LONG), set(), True),
    "frames beyond the end": (fields(b"stco", offset=2**31), {"video-truncated", "video-undecodable"}, False),
    "frames inside the header": (fields(b"stco", offset=0), {"video-undecodable"}, False),
    "declared picture 65535 wide": (fields(b"avc1", width=65535, height=65535), set(), True),
    "shown picture 65535 wide": (fields(b"tkhd", width=LONG, height=LONG), {"video-pixel-aspect"}, True),
    "data in another file": (changed(elsewhere), {"video-undecodable"}, False),
    "escape sequences in the title": (clip(metadata=(("title", "\x1b]0;owned\x07\x1b[2J"),)), set(), True),
    "fragments": (
        clip(container_options=(("movflags", "frag_keyframe+empty_moov"),)),
        set(),
        True,
    ),
}


@pytest.fixture(scope="module")
def decoder():
    with DecoderProcess(ProcessLimits(memory_mib=1024, seconds=20)) as process:
        yield process


def frames_come_out(decoder, path):
    try:
        opened = decoder.open(path)
        return sum(len(batch.indices) for batch in opened.batches([0, opened.clip.frame_count - 1])) > 0
    except VideoError:
        return False


@pytest.fixture(scope="module")
def findings(tmp_path_factory):
    """What one validation says of all of them, beside one another in one zip: {case: its findings}."""
    root = tmp_path_factory.mktemp("all")
    identity = root / "testset" / "id001"
    identity.mkdir(parents=True)
    Image.new("RGB", (16, 16), "red").save(identity / "image.png")
    names = {case: f"id001/prompt{k}.mp4" for k, case in enumerate(CASES, start=1)}
    for k in range(1, len(CASES) + 1):
        (identity / f"prompt{k}.txt").write_text(f"Thing {k}.")
    path = root / "facial_results.zip"
    path.write_bytes(pack([(names[case], make()) for case, (make, _, _) in CASES.items()]))
    report = validate(path, root / "testset")
    assert report.checked == len(CASES)
    assert sorted(p.name for p in root.iterdir()) == ["facial_results.zip", "testset"]
    return {case: [f for f in report.findings if f.path == name] for case, name in names.items()}


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_video_has_its_finding_and_costs_no_other(case, findings):
    _, expected, _ = CASES[case]
    assert {finding.code for finding in findings[case]} == expected
    assert all(finding.message.isprintable() for finding in findings[case])


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_video_gives_frames_or_is_refused(case, decoder, untouched, tmp_path):
    make, _, frames = CASES[case]
    video = tmp_path / "video.mp4"
    video.write_bytes(make())
    started = time.monotonic()
    with untouched():
        assert frames_come_out(decoder, video) == frames
    assert time.monotonic() - started < 60


def test_the_corpus_is_large():
    assert len(CASES) >= 60
