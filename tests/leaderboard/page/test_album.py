"""Pictures inside a page."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
from PIL import Image

from ipvg_eval.core.page import Album


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
