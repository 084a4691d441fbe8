"""Pixels that are not square and colours that no ordinary screen shows: found, noted, measured as stored."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matroska_files import PIXELS, RATIO, with_display_size

from ipvg_eval.validation.header_rules import About, check_header
from ipvg_eval.validation.rules import VideoRules
from ipvg_eval.video import decode, index_frames, probe

ABOUT = About(path="id001/prompt1.mp4", sample="id001/prompt1")


def video(
    aspect=Fraction(1),
    *,
    container="mp4",
    codec="libx264",
    turn=None,
    frames=6,
    size=(160, 128),
    trc=None,
    primaries=None,
):
    buffer = io.BytesIO()
    options = {"live": "1"} if container in ("matroska", "webm") else {}
    with av.open(buffer, "w", format=container, options=options) as file:
        stream = file.add_stream(codec, rate=8)
        if turn is not None:
            stream.set_display_rotation(turn)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.sample_aspect_ratio = aspect
        if trc is not None:
            stream.codec_context.color_trc = trc
            stream.codec_context.color_primaries = primaries
        for k in range(frames):
            frame = av.VideoFrame.from_ndarray(
                np.full((size[1], size[0], 3), 20 * k, np.uint8), format="rgb24"
            )
            frame.pts = k
            file.mux(stream.encode(frame.reformat(format="yuv420p")))
        file.mux(stream.encode(None))
    buffer.seek(0)
    return buffer


def findings(source):
    return {finding.code: finding for finding in check_header(probe(source), ABOUT, VideoRules())}


def noted(source):
    index = index_frames(source)
    with decode(source, [0, 3], index=index) as decoding:
        frames = [batch.frames for batch in decoding]
        return frames[0], decoding.note


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.fractions(min_value=Fraction(1, 8), max_value=8, max_denominator=40))
def test_every_ratio_but_one_has_a_finding_and_a_note_and_moves_no_pixel(aspect):
    found, (frames, note) = findings(video(aspect)), noted(video(aspect))
    assert frames.shape[1:] == (128, 160, 3)
    assert ("video-pixel-aspect" in found) == (note is not None) == (aspect != 1)
    if note:
        assert f"{aspect.numerator}:{aspect.denominator}" in note
        assert f"160x128, while players show {round(160 * aspect)}x128" in note
        assert "setsar=1" in found["video-pixel-aspect"].action


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
@pytest.mark.parametrize("container", ["mp4", "mov", "matroska", "mpegts", "avi"])
def test_the_ratio_is_found_in_every_container(container, codec):
    """In the last three only the codec knows it, and H.264's decoder only after a frame."""
    source = video(Fraction(4, 3), container=container, codec=codec)
    assert probe(source).sample_aspect_ratio == Fraction(4, 3)
    assert "213x128" in findings(source)["video-pixel-aspect"].message
    assert "213x128" in noted(source)[1]


@pytest.mark.parametrize(("container", "codec"), [("matroska", "libx264"), ("webm", "libvpx-vp9")])
@pytest.mark.parametrize(
    ("display", "unit", "aspect"),
    [
        ((320, 128), PIXELS, 2),
        ((5, 2), RATIO, 2),
        ((160, 128), PIXELS, 1),
        ((160, 256), PIXELS, Fraction(1, 2)),
    ],
)
def test_matroska_s_display_size_is_a_ratio(container, codec, display, unit, aspect):
    """DisplayWidth : DisplayHeight over 160 : 128; the pixels themselves are square."""
    source = io.BytesIO(with_display_size(video(container=container, codec=codec).getvalue(), *display, unit))
    assert probe(source).sample_aspect_ratio == aspect
    assert (noted(source)[1] is None) == (aspect == 1)


def test_a_clip_on_its_side_is_told_as_it_is_shown():
    """Stored 160 x 128 with pixels of 2:1, shown as 128 x 320; one wide as 128 high would be 64 x 160."""
    source = video(Fraction(2), turn=90)
    header = probe(source)
    assert (header.width, header.height, header.sample_aspect_ratio) == (128, 160, Fraction(1, 2))
    says = "128x160, while players show 64x160"
    assert says in findings(source)["video-pixel-aspect"].message
    assert says in noted(source)[1]


@pytest.mark.parametrize(
    ("trc", "primaries", "name"),
    [(16, 9, "PQ (HDR), BT.2020"), (18, 9, "HLG (HDR), BT.2020"), (14, 9, "BT.2020"), (16, 1, "PQ (HDR)")],
)
def test_colours_of_other_screens_are_named_for_what_they_are(trc, primaries, name):
    found = findings(video(trc=trc, primaries=primaries))
    assert name in found["video-hdr"].message
    assert "video-pixel-format" not in found


def test_ordinary_videos_have_neither():
    assert not {"video-hdr", "video-pixel-aspect"} & findings(video(trc=1, primaries=1)).keys()
    assert noted(video())[1] is None
