"""Pictures as cameras, phones and strangers write them: one reader, one kind of error."""

from __future__ import annotations

import contextlib
import io
import shutil
import struct
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from ipvg_eval.core.errors import UnreadablePicture
from ipvg_eval.core.pictures import read_picture, read_rgb

SIDE = np.array(
    [[[255, 0, 0], [0, 255, 0], [0, 0, 255]], [[9, 9, 9], [90, 90, 90], [200, 200, 200]]], np.uint8
)
UP = 16  # enlarged, so that JPEG keeps the colours of the corners
PICTURE = SIDE.repeat(UP, 0).repeat(UP, 1)
# What each orientation (TIFF 6.0, tag 274) does to the stored pixels, by NumPy.
SHOWN = {
    1: lambda p: p,
    2: np.fliplr,
    3: lambda p: np.rot90(p, 2),
    4: np.flipud,
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: np.rot90(p, -1),
    7: lambda p: np.rot90(p, 2).transpose(1, 0, 2),
    8: np.rot90,
}


def exif(entries: list[tuple[int, int, int, bytes]], *, order: str = "<") -> bytes:
    """An EXIF block of raw directory entries: tag, type, count and the four bytes of the value."""
    head = b"II*\x00" if order == "<" else b"MM\x00*"
    body = b"".join(
        struct.pack(f"{order}2HL", tag, kind, count) + value.ljust(4, b"\x00")[:4]
        for tag, kind, count, value in entries
    )
    return b"Exif\x00\x00" + head + struct.pack(f"{order}LH", 8, len(entries)) + body + bytes(4)


def jpeg(block: bytes) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PICTURE).save(buffer, "JPEG", quality=95, subsampling=0)
    data = buffer.getvalue()
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]


@pytest.mark.parametrize("orientation", SHOWN)
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_resolution_stored_as_text_does_not_keep_a_picture_from_being_turned(tmp_path, orientation, order):
    value = struct.pack(f"{order}H", orientation)
    path = tmp_path / "image.jpg"
    path.write_bytes(jpeg(exif([(282, 2, 3, b"72\x00"), (274, 3, 1, value)], order=order)))
    found = read_rgb(path)
    expected = SHOWN[orientation](PICTURE)
    assert found.shape == expected.shape
    assert np.abs(found.astype(int) - expected).mean() < 4
    assert np.abs(read_rgb(path, apply_orientation=False).astype(int) - PICTURE).mean() < 4


ENTRY = st.tuples(
    st.sampled_from([274, 282, 283, 296, 34665, 34853, 37500, 513, 514, 700]) | st.integers(0, 65535),
    st.integers(0, 20),
    st.integers(0, 2**32 - 1) | st.integers(0, 4),
    st.binary(max_size=4),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.builds(exif, st.lists(ENTRY, max_size=6), order=st.sampled_from("<>"))
    | st.binary(max_size=80).map(lambda tail: b"Exif\x00\x00" + tail)
)
@example(exif([(282, 2, 3, b"72\x00"), (274, 3, 1, b"\x06\x00")]))
@example(exif([(274, 2, 4, b"abc\x00")]))
@example(exif([(274, 5, 1, b"\xff\xff\xff\xff")]))
def test_no_exif_block_keeps_the_pixels_back(tmp_path, block):
    path = tmp_path / "image.jpg"
    path.write_bytes(jpeg(block))
    found = read_rgb(path)
    assert sorted(found.shape[:2]) == sorted(PICTURE.shape[:2])
    assert abs(int(found.mean()) - int(PICTURE.mean())) < 4


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_changed_bytes_are_a_picture_or_the_one_error(tmp_path, data):
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "WEBP"]))
    buffer = io.BytesIO()
    Image.fromarray(PICTURE).save(buffer, kind)
    content = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "image.png"
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    with contextlib.suppress(UnreadablePicture):
        assert read_picture(path).mode == "RGB"


def grey_png(values: np.ndarray, *, transparent: int | None = None) -> bytes:
    """A 16-bit grey PNG by the book (PNG 1.2), without Pillow."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))

    height, width = values.shape
    rows = b"".join(b"\x00" + row.astype(">u2").tobytes() for row in values)
    seen = b"" if transparent is None else chunk(b"tRNS", struct.pack(">H", transparent))
    head = chunk(b"IHDR", struct.pack(">2L5B", width, height, 16, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + seen + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_grey_of_16_bits_is_scaled_and_not_cut(tmp_path):
    values = np.arange(0, 65536, 257, dtype=np.uint16).reshape(16, 16)  # 0, 257, ..., 65535: 8 bits each
    path = tmp_path / "image.png"
    path.write_bytes(grey_png(values))
    found = read_rgb(path)
    assert np.array_equal(found[..., 0], np.arange(256).reshape(16, 16))
    assert np.array_equal(found[..., 0], found[..., 2])


def test_the_grey_that_stands_for_nothing_lies_over_white(tmp_path):
    values = np.full((4, 4), 30000, np.uint16)
    values[0] = 500
    path = tmp_path / "image.png"
    path.write_bytes(grey_png(values, transparent=500))
    found = read_rgb(path)
    assert (found[0] == 255).all()
    assert (found[1:] == round(30000 / 257)).all()


def with_chunk(kind: bytes, data: bytes, *, last: bool, checksum: int = 0) -> bytes:
    """A PNG with one more chunk before its pixels, or after them."""
    content = other("PNG")
    at = content.index(b"IEND" if last else b"IDAT") - 4
    sound = zlib.crc32(kind + data) ^ checksum
    return content[:at] + struct.pack(">L", len(data)) + kind + data + struct.pack(">L", sound) + content[at:]


_LONG = b"c\0\0" + zlib.compress(bytes(3 << 20))  # unfolds to more text than Pillow takes
BESIDE = {
    "a text that unfolds to megabytes": (b"zTXt", _LONG, 0),
    "a profile that unfolds to megabytes": (b"iCCP", _LONG, 0),
    "a profile packed in an unknown way": (b"iCCP", b"c\0\7nonsense", 0),
    "a text with a wrong checksum": (b"tEXt", b"Title\0A woman", 1),
    "a resolution that is cut": (b"pHYs", b"\0", 0),
    "nothing but a kind": (b"prVt", b"", 1),
}


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("case", BESIDE)
def test_what_stands_beside_a_png_s_pixels_does_not_keep_them_back(tmp_path, case, last):
    kind, data, checksum = BESIDE[case]
    path = tmp_path / "image.png"
    path.write_bytes(with_chunk(kind, data, last=last, checksum=checksum))
    assert np.array_equal(read_rgb(path), PICTURE)
    with path.open("rb") as file:
        assert np.array_equal(read_rgb(file), PICTURE)


def test_ycck_of_print_shops_has_the_colours_it_was_made_of(tmp_path):
    # Adobe's JPEG with transform 2: C, M and Y as YCbCr, everything inverted, which Pillow's writer does.
    made = np.zeros((*PICTURE.shape[:2], 4), np.uint8)
    made[..., :3] = 255 - np.asarray(Image.fromarray(255 - PICTURE).convert("YCbCr"))
    buffer = io.BytesIO()
    Image.fromarray(made, "CMYK").save(buffer, "JPEG", quality=100, subsampling=0)
    content = bytearray(buffer.getvalue())
    content[content.index(b"Adobe") + 11] = 2
    path = tmp_path / "image.jpg"
    path.write_bytes(content)
    middle = np.s_[UP // 2 :: UP, UP // 2 :: UP]
    assert np.abs(read_rgb(path)[middle].astype(int) - PICTURE[middle]).max() <= 8


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n%%EOF\n"


def other(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PICTURE).save(buffer, kind)
    return buffer.getvalue()


OTHERS = {
    "eps": EPS,
    "gif of nothing": b"GIF89a" + bytes(7) + b";",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    **{kind: other(kind) for kind in ("TIFF", "GIF", "BMP", "PPM", "ICO", "TGA", "PCX")},
}


@pytest.mark.parametrize("name", ["image.png", "image.jpg", "image.webp"])
@pytest.mark.parametrize("case", OTHERS)
def test_only_png_jpeg_and_webp_are_opened_whatever_the_name(tmp_path, monkeypatch, case, name):
    monkeypatch.setattr(shutil, "which", lambda program, **_: pytest.fail(f"{program} was looked for"))
    path = tmp_path / name
    path.write_bytes(OTHERS[case])
    with pytest.raises(UnreadablePicture, match="no png, webp or jpg file"):
        read_picture(path)


PSD = b"8BPS\0\1" + bytes(6) + struct.pack(">HLLHH", 3, 4, 4, 8, 3) + bytes(14) + bytes(48)
KINDS = {
    "TIFF": other("TIFF"), "GIF": other("GIF"), "BMP": other("BMP"), "ICO": other("ICO"),
    "PostScript (EPS)": EPS, "Photoshop (PSD)": PSD, "AVIF": b"\0\0\0\x1cftypavif" + bytes(40),
    "HEIC": b"\0\0\0\x1cftypheic" + bytes(40), "PDF": b"%PDF-1.7\n" + bytes(40),
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'/>", "XML or SVG": b"\xef\xbb\xbf<?xml?><svg/>",
    "web page (perhaps a download that needed a login)": b"\n<!DOCTYPE html><html>Sign in",
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_the_true_format_is_named(tmp_path, kind):
    path = tmp_path / "image.png"
    path.write_bytes(KINDS[kind])
    with pytest.raises(UnreadablePicture) as caught:
        read_picture(path)
    assert caught.value.path == path
    assert f"no png, webp or jpg file, but a file of the kind {kind})" in caught.value.message


def test_an_empty_file_is_called_empty(tmp_path):
    (tmp_path / "image.png").touch()
    with pytest.raises(UnreadablePicture, match="it is empty, no png"):
        read_picture(tmp_path / "image.png")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_damaged_picture_is_not_called_another_format(tmp_path, kind):
    content = bytearray(other(kind))
    content[20:30] = b"\xff" * 10  # in the header, where Pillow finds that it is none of its formats
    path = tmp_path / "image.png"
    path.write_bytes(content[:60])
    with pytest.raises(UnreadablePicture, match=r"damaged (png|jpg)|decoder") as caught:
        read_picture(path)
    assert "it is no png" not in caught.value.message


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_the_content_counts_and_not_the_name(tmp_path, kind):
    path = tmp_path / "image.png"
    path.write_bytes(other(kind))
    assert read_rgb(path).shape == PICTURE.shape
