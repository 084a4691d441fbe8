"""Opening a video file safely, and saying why one cannot be opened."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import av

from ipvg_eval.core.limits import ProcessLimits
from ipvg_eval.errors import VideoError

Source = Path | BinaryIO
"""A path, or a seekable binary file object (a member of a zip, for example)."""

EXPORT_AGAIN = "Export the video again as MP4 with H.264."

# Playlists and other formats that make FFmpeg open further files or addresses stay out.
_FORMATS = "mov,mp4,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,h264,hevc,m4v,obu,ivf,mjpeg,gif"
# From version 19 on PyAV always keeps bytes that are no UTF-8 as surrogates; before, it has to be told.
_UNDECODABLE: dict[str, Any] = (
    {"metadata_errors": "surrogateescape"} if int(av.__version__.split(".")[0]) < 19 else {}
)
DECODERS = (
    "h264",
    *("hevc", "av1", "libdav1d", "libaom-av1", "vp8", "vp9", "libvpx", "libvpx-vp9"),
    *("mpeg1video", "mpeg2video", "mpeg4", "h263", "msmpeg4v3", "wmv2", "mjpeg", "prores", "gif", "ffv1"),
)
"""The decoders that strangers' files may reach: H.264, and those of videos that are exported wrongly."""

_OF_MEDIA = ("video", "audio", "subtitle")
MAX_PIXELS = ProcessLimits().max_pixels

_OTHER_FILES = (
    (b"PK\x03\x04", "a zip archive"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"%PDF", "a PDF document"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file it stands for"),
)


def name_of(source: Source, name: str | None = None) -> str:
    """How messages call the file: the given name, else its path."""
    return name or str(source if isinstance(source, Path) else getattr(source, "name", "video"))


def size_of(source: Source) -> int:
    """Size in bytes; a file object's position is not kept."""
    return source.stat().st_size if isinstance(source, Path) else source.seek(0, os.SEEK_END)


def size_options(max_pixels: int) -> dict[str, str]:
    """What makes a decoder refuse larger pictures before it takes memory for them.

    Decoders count whole blocks, so the bound is a million pixels above; `index_frames` is exact.
    """
    return {"max_pixels": str(max_pixels + 2**20)}


def _descriptor(source: BinaryIO) -> int | None:
    """Of a plain file, which FFmpeg reads faster by itself; None for what only looks like one."""
    if not isinstance(source, io.FileIO):
        return None
    return source.fileno()


def open_container(
    source: Source,
    *,
    name: str | None = None,
    headers_only: bool = False,
    max_pixels: int = MAX_PIXELS,
    formats: str = _FORMATS,
    decoders: Sequence[str] = DECODERS,
) -> Any:
    """Open a file as a PyAV input container; the caller closes it.

    Args:
        source: path or file object; a file object is read from its start and stays open, and what was opened
            before from a plain file must not be read any more.
        name: what messages call the file.
        headers_only: do not let FFmpeg decode frames to fill in what the headers leave open.
        max_pixels: largest picture that may be decoded.
        formats: which of FFmpeg's container formats may be opened.
        decoders: which of its decoders may be used.

    Raises:
        VideoError: the file is missing, empty, or no media file.
    """
    label = name_of(source, name)
    try:
        reach = {"protocol_whitelist": "file"}
        if size_of(source) == 0:
            raise VideoError("the file is empty (0 bytes)", path=label, hint=EXPORT_AGAIN)
        if isinstance(source, Path):
            target: str | BinaryIO = f"file:{source}"  # a colon in a file name is no protocol
        else:
            source.seek(0)
            target = source
            if (descriptor := _descriptor(source)) is not None:
                target, reach = "fd:", {"protocol_whitelist": "fd", "fd": str(descriptor)}
        container = av.open(
            target,
            "r",
            options={"skip_frame": "all"} if headers_only else size_options(max_pixels),
            container_options={
                "format_whitelist": formats,
                "codec_whitelist": ",".join(decoders),
                **reach,
                **({"probesize": "1000000"} if headers_only else {}),
            },
            **_UNDECODABLE,
        )
    except OSError as error:
        hint = "Check the path and its permissions."
        raise VideoError(f"cannot be read ({error.strerror or error})", path=label, hint=hint) from error
    except av.FFmpegError as error:
        reason = _reason(source, str(error.strerror))
        raise VideoError(reason, path=label, hint=EXPORT_AGAIN) from error
    if not any(stream.type in _OF_MEDIA for stream in container.streams):
        container.close()
        raise VideoError(_reason(source, "it lists no streams"), path=label, hint=EXPORT_AGAIN)
    return container


def texts_of(metadata: Mapping[str, str]) -> dict[str, str]:
    """Metadata of a container or stream, with U+FFFD for each byte that is no UTF-8."""
    return {_text(key): _text(value) for key, value in metadata.items()}


def _text(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _reason(source: Source, detail: str) -> str:
    """Why FFmpeg refused the file, from what its first bytes and boxes say."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            return _reason_of(file, detail)
    return _reason_of(source, detail)


def _reason_of(file: BinaryIO, detail: str) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(1024)
    for magic, what in _OTHER_FILES:
        if head.startswith(magic):
            return f"this is {what}, not a video"
    if not head.strip(b"\0"):
        return "the file holds only zero bytes, no video"
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"wide"):
        boxes = _top_level_boxes(file, size)
        if b"moov" not in boxes:
            return "the movie header (moov box) is missing: the file was cut off or never finished"
        if boxes[b"moov"] > size:
            return "the movie header (moov box) is cut off"
        return f"the movie header is damaged ({detail})"
    if _is_text(head):
        return "this is a text file, not a video"
    return f"this is not a video file ({detail})"


def _top_level_boxes(file: BinaryIO, size: int) -> dict[bytes, int]:
    """Every top-level box of an MP4 file and the offset at which the last of its kind ends."""
    boxes: dict[bytes, int] = {}
    start = 0
    while start + 8 <= size and len(boxes) < 64:
        file.seek(start)
        head = file.read(16)
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        elif length == 0:
            length = size - start
        if length < 8:
            break
        boxes[kind] = start = start + length
    return boxes


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        # A character cut in two by the end of `head` is still text.
        if error.start < len(head) - 3:
            return False
        text = head[: error.start].decode("utf-8")
    return all(character.isprintable() or character in "\t\r\n\ufeff" for character in text)
