"""Reference pictures: orientation, transparency, damage."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ipvg_eval.core.errors import UnreadablePicture
from ipvg_eval.core.pictures import read_rgb

CORNERS = np.zeros((4, 6, 3), np.uint8)
CORNERS[0, 0] = (255, 0, 0)
CORNERS[-1, -1] = (0, 0, 255)


@pytest.mark.parametrize("suffix", ["png", "webp", "PNG"])
def test_pixels_come_back(tmp_path, suffix):
    path = tmp_path / f"image.{suffix}"
    Image.fromarray(CORNERS).save(path, lossless=True)
    assert np.array_equal(read_rgb(path), CORNERS)


def test_exif_orientation_is_applied_unless_told_otherwise(tmp_path):
    image = Image.fromarray(CORNERS)
    exif = image.getexif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise to see it upright
    image.save(tmp_path / "image.png", exif=exif)
    assert np.array_equal(read_rgb(tmp_path / "image.png"), np.rot90(CORNERS, -1))
    assert np.array_equal(read_rgb(tmp_path / "image.png", apply_orientation=False), CORNERS)


def test_transparency_is_laid_over_white(tmp_path):
    rgba = np.zeros((2, 2, 4), np.uint8)
    rgba[0, 0] = (10, 20, 30, 255)
    Image.fromarray(rgba).save(tmp_path / "image.png")
    pixels = read_rgb(tmp_path / "image.png")
    assert pixels[0, 0].tolist() == [10, 20, 30]
    assert pixels[1, 1].tolist() == [255, 255, 255]


@pytest.mark.parametrize("mode", ["L", "P", "LA", "I;16", "CMYK"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    suffix = "jpg" if mode == "CMYK" else "png"
    picture = Image.new("I;16", (5, 4), 77) if mode == "I;16" else Image.new("L", (5, 4), 77).convert(mode)
    picture.save(tmp_path / f"image.{suffix}")
    assert read_rgb(tmp_path / f"image.{suffix}").shape == (4, 5, 3)


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n"])
def test_a_damaged_picture_is_one_clear_error(tmp_path, content):
    path = tmp_path / "image.png"
    path.write_bytes(content)
    with pytest.raises(UnreadablePicture, match=r"image\.png") as caught:
        read_rgb(path)
    assert "Replace" in caught.value.hint


def test_a_truncated_picture_is_an_error(tmp_path):
    path = tmp_path / "image.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(UnreadablePicture):
        read_rgb(path)


def test_a_missing_picture_is_an_error(tmp_path):
    with pytest.raises(UnreadablePicture):
        read_rgb(tmp_path / "nowhere.png")
