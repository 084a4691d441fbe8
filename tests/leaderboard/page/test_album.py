"""Pictures inside a page."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ipvg_eval.core.page import Album
from ipvg_eval.core.page.album import webp_size


def webp(path: Path) -> Path:
    Image.fromarray(np.arange(48 * 30 * 3, dtype=np.uint8).reshape(30, 48, 3)).save(path)
    return path


def test_a_picture_is_embedded_byte_for_byte_with_its_size(tmp_path: Path) -> None:
    path = webp(tmp_path / "a.webp")
    picture = Album(limit=100_000).picture(path)
    assert picture is not None
    assert (picture.width, picture.height) == (48, 30)
    head, _, content = picture.address.partition(",")
    assert head == "data:image/webp;base64"
    assert base64.b64decode(content) == path.read_bytes()


def test_what_is_missing_or_no_webp_is_none_and_not_counted(tmp_path: Path) -> None:
    (tmp_path / "text.webp").write_text("no picture")
    Image.new("RGB", (4, 4)).save(tmp_path / "png.webp", format="PNG")
    album = Album(limit=100_000)
    for name in ("absent.webp", "text.webp", "png.webp"):
        assert album.picture(tmp_path / name) is None
    assert album.left_out == 0


def test_the_album_ends_at_its_limit_and_counts_the_rest(tmp_path: Path) -> None:
    path = webp(tmp_path / "a.webp")
    one = Album(limit=10**6).picture(path)
    assert one is not None
    album = Album(limit=2 * len(one.address))
    assert [album.picture(path) is None for _ in range(4)] == [False, False, True, True]
    assert album.left_out == 2


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 300), st.integers(1, 300)),
    st.sampled_from(["RGB", "RGBA"]),
    st.booleans(),
    st.sampled_from([b"", b"a profile"]),
)
def test_the_size_is_the_one_that_pillow_finds(
    size: tuple[int, int], mode: str, lossless: bool, profile: bytes
) -> None:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, "WEBP", lossless=lossless, icc_profile=profile)
    assert webp_size(buffer.getvalue()) == size


def test_an_animation_has_the_size_of_its_canvas() -> None:
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (70, 30), colour) for colour in ("red", "blue")]
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:])
    assert webp_size(buffer.getvalue()) == (70, 30)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=40), st.sampled_from([b"VP8X", b"VP8L", b"VP8 ", b"ALPH"]))
def test_any_bytes_have_a_size_or_none(rest: bytes, kind: bytes) -> None:
    for content in (rest, b"RIFF" + (len(rest) + 8).to_bytes(4, "little") + b"WEBP" + kind + rest):
        assert webp_size(content) is None or min(webp_size(content)) > 0  # type: ignore[arg-type]


@pytest.mark.parametrize("change", [lambda c: c + b"more", lambda c: c[:-1], lambda c: c[:20]])
def test_what_a_file_says_of_its_length_must_be_true(change, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    content = webp(tmp_path / "a.webp").read_bytes()
    assert webp_size(content) == (48, 30)
    assert webp_size(change(content)) is None


def test_no_decoder_sees_a_picture_of_a_run_and_large_ones_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = webp(tmp_path / "a.webp")
    Image.new("RGB", (8192, 8192)).save(tmp_path / "large.webp")
    monkeypatch.delattr(Image, "open")
    album = Album(limit=10**6)
    assert album.picture(path) is not None
    assert album.picture(tmp_path / "large.webp") is None
