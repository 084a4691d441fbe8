"""The reader of pictures that come from outside."""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from ipvg_eval.core.errors import UnreadablePicture
from ipvg_eval.core.measurement import Frames

FORMATS = ("PNG", "JPEG", "WEBP")
"""What a picture may be, by its content; its name does not matter."""

_TURNS: Mapping[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_OTHER_FORMATS = (
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"8BPS", "Photoshop (PSD)"),
    (b"\0\0\1\0", "ICO"),
    (b"%!PS", "PostScript (EPS)"),
    (b"\xc5\xd0\xd3\xc6", "PostScript (EPS)"),
    (b"%PDF", "PDF"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"PK\x03\x04", "zip"),
    (b"version https://git-lfs", "Git LFS pointer"),
    (b"<svg", "SVG"),
    (b"<?xml", "XML or SVG"),
    (b"<html", "web page (perhaps a download that needed a login)"),
    (b"<!doc", "web page (perhaps a download that needed a login)"),
)
_PNG = b"\x89PNG\r\n\x1a\n"
_OWN_FORMATS = ((_PNG, "png"), (b"\xff\xd8\xff", "jpg"), (b"RIFF", "webp"))
_OF_PIXELS = (b"tRNS", b"eXIf")
_OF_BRANDS = {b"avif": "AVIF", b"heic": "HEIC", b"heix": "HEIC", b"mif1": "HEIF"}
_DEEP_GREY = ("I;16", "I;16B", "I;16L", "I;16N", "I")


class PictureInMemory:
    """A picture that is no file, or no longer: the bytes of one, or pixels.

    Two with the same content are equal, so that what was made of one can be kept for the other.

    Attributes:
        key: tells one content from another.
    """

    def __init__(self, content: bytes | Image.Image) -> None:
        """Take a picture over.

        Args:
            content: the bytes of a png, jpeg or webp file, or a picture of Pillow's that nobody changes.
        """
        self._content = content
        self.key = _content_key(content)

    @classmethod
    def of_pixels(cls, pixels: Frames) -> Self:
        """A copy of (height, width, 3) uint8, RGB."""
        return cls(Image.fromarray(pixels.copy()))

    @property
    def head(self) -> bytes:
        """The first bytes of a file; none of pixels."""
        return self._content[:32] if isinstance(self._content, bytes) else b""

    def opened(self) -> AbstractContextManager[Image.Image]:
        """The picture as Pillow has it.

        Raises:
            Exception: whatever Pillow raises for what is no picture.
        """
        if isinstance(self._content, bytes):
            return _loaded(io.BytesIO(self._content))
        return nullcontext(self._content)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PictureInMemory) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


Picture = Path | BinaryIO | PictureInMemory
"""What can be read: a png, jpeg or webp file, one that is open, or a picture in memory."""


def read_picture(path: Picture, *, apply_orientation: bool = True, over_white: bool = True) -> Image.Image:
    """A picture as RGB, 8 bits a channel; grey of 16 bits is scaled.

    Args:
        path: the picture.
        apply_orientation: turn the picture as its EXIF orientation says. Published face scripts do not.
        over_white: lay transparent pixels over white. Published face scripts drop the transparency, which
            shows whatever colour is stored under it.

    Raises:
        UnreadablePicture: the file is missing, is no picture of these kinds, or is damaged.
    """
    try:
        with warnings.catch_warnings(action="ignore"), _opened(path) as image:
            image.load()
            turn = _TURNS.get(_orientation(image)) if apply_orientation else None
            picture = _eight_bits(image)
            if over_white and picture.has_transparency_data:
                rgba = picture.convert("RGBA")
                picture = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
            picture = picture.convert("RGB")
            return picture if turn is None else picture.transpose(turn)
    except Exception as error:  # decoders of strangers' bytes raise whatever they like
        raise UnreadablePicture(
            f"the picture cannot be read ({_cause(error, path)})",
            path=path if isinstance(path, Path) else None,
            hint="Replace it with a valid png, webp or jpg file.",
        ) from error


def read_rgb(path: Picture, *, apply_orientation: bool = True, over_white: bool = True) -> Frames:
    """As `read_picture`, as pixels: (height, width, 3) uint8."""
    return np.asarray(read_picture(path, apply_orientation=apply_orientation, over_white=over_white))


def _opened(picture: Picture) -> AbstractContextManager[Image.Image]:
    return picture.opened() if isinstance(picture, PictureInMemory) else _loaded(picture)


def _content_key(content: bytes | Image.Image) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    content.load()
    palette = None if content.palette is None else content.palette.tobytes()
    beside = (content.mode, content.size, palette, content.info.get("transparency"), _orientation(content))
    digest = hashlib.sha256(repr(beside).encode())
    digest.update(np.asarray(content).data if content.mode == "RGB" else content.tobytes())
    return digest.hexdigest()


def _loaded(path: Path | BinaryIO) -> Image.Image:
    """The decoded picture. Texts and profiles beside a PNG's pixels cannot make those unreadable."""
    try:
        return _decoded(path)
    except Exception as error:
        bare = _bare_png(path)
        if bare is None:
            raise
        try:
            return _decoded(io.BytesIO(bare))
        except Exception:
            raise error from None


def _decoded(path: Path | BinaryIO) -> Image.Image:
    if isinstance(path, Path):
        with path.open("rb") as file:
            return _decoded(file)
    image = Image.open(path, formats=FORMATS)
    image.load()
    return image


def _bare_png(path: Path | BinaryIO) -> bytes | None:
    """A PNG with the chunks alone that its pixels are made of; None where it has no others, or is none."""
    if not _head(path).startswith(_PNG):
        return None
    if not isinstance(path, Path):
        path.seek(0)
    data = path.read_bytes() if isinstance(path, Path) else path.read()
    kept, at = [_PNG], len(_PNG)
    while at + 12 <= len(data):
        end = at + 12 + struct.unpack_from(">L", data, at)[0]
        kind = data[at + 4 : at + 8]
        if kind[:1].isupper() or kind in _OF_PIXELS:
            kept.append(data[at:end])
        at = end
    bare = b"".join(kept)
    return bare if len(bare) < len(data) else None


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 where there is none; a block that makes no sense says nothing."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # what is beside the pixels cannot make them unreadable
        return 1


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits, which Pillow would cut at 255, scaled; with the grey that stands for nothing."""
    if image.mode not in _DEEP_GREY:
        return image
    values = np.asarray(image).astype(np.int64).clip(0, 65535)
    grey = Image.fromarray(((values + 128) // 257).astype(np.uint8))
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        grey.putalpha(Image.fromarray(np.where(values == transparent, 0, 255).astype(np.uint8)))
    return grey


def no_picture(head: bytes) -> str:
    """What a file is that is no picture of these formats, as its first bytes say.

    Args:
        head: at least 32 of them, where there are so many.
    """
    own = next((name for magic, name in _OWN_FORMATS if head.startswith(magic)), None)
    if own and (own != "webp" or head[8:12] == b"WEBP"):
        return f"it is a damaged {own} file"
    markup = head.lstrip(b"\xef\xbb\xbf\t\r\n ").lower()
    start = markup if markup.startswith(b"<") else head
    kind = next((name for magic, name in _OTHER_FORMATS if start.startswith(magic)), None)
    if head[4:8] == b"ftyp":
        kind = _OF_BRANDS.get(head[8:12], "video")
    if not head:
        return "it is empty, no png, webp or jpg file"
    return "it is no png, webp or jpg file" + (f", but a file of the kind {kind}" if kind else "")


def _head(path: Picture) -> bytes:
    if isinstance(path, PictureInMemory):
        return path.head
    if isinstance(path, Path):
        with path.open("rb") as file:
            return file.read(32)
    path.seek(0)
    return path.read(32)


def _cause(error: Exception, path: Picture) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, UnidentifiedImageError):
        return no_picture(_head(path))
    return str(error).partition("\n")[0] or type(error).__name__
