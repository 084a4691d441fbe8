"""What a video's headers and its first frame say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise
from typing import Any

import av

from ipvg_eval.video.container import (
    DECODERS,
    MAX_PIXELS,
    Source,
    name_of,
    open_container,
    size_of,
    size_options,
    texts_of,
)
from ipvg_eval.video.orientation import Orientation, orientation_of

_ENTRIES_READ = 100_000  # of a sample table; a hostile one may claim far more
# Code points of ITU-T H.273, tables 2 and 3.
_TRANSFERS = {16: "PQ (HDR)", 18: "HLG (HDR)"}
_PRIMARIES = {9: "BT.2020"}
_PACKETS_TRIED = 300  # until a first frame must have come


@dataclass(frozen=True, kw_only=True)
class VideoHeader:
    """A video as its headers describe it. Nothing here counts frames; see `FrameIndex`.

    Attributes:
        name: what messages call the file.
        container: FFmpeg's name of the format ("mov,mp4,m4a,3gp,3g2,mj2").
        major_brand: first brand of an MP4 or QuickTime file ("isom", "qt"), else None.
        size_bytes: size of the file.
        missing_bytes: bytes of samples that the header points to beyond the end of the file (MP4 only).
        video_streams: number of video streams, cover pictures aside.
        audio_streams: number of audio streams.
        codec: FFmpeg's name of the first video stream's codec (h264, hevc, av1, mpeg4); None without a
            video stream, or if FFmpeg does not know it. Everything below is about that stream.
        profile: codec profile ("High").
        pixel_format: FFmpeg's name ("yuv420p"); None if the first frame does not decode.
        width: width in pixels as shown, after rotation; 0 without a video stream.
        height: height in pixels as shown, after rotation.
        coded_width: width in pixels as stored, before rotation.
        coded_height: height in pixels as stored, before rotation.
        rotation: clockwise degrees by which the stored picture is turned: 0, 90, 180 or 270.
        mirrored: the stored picture is mirrored left to right before it is turned.
        sample_aspect_ratio: width of a pixel as shown over its height; never applied to the pixels.
        frame_count: number of frames that the container declares, or None.
        fps: mean frame rate in frames per second, or None.
        base_fps: the rate in which every time stamp can be told, as FFmpeg guesses it, or None.
        variable_frame_rate: the frames are not evenly spaced; None if the headers do not tell.
        duration: length in seconds, or None.
        interlaced: the first frame is interlaced; None if it does not decode.
        colours: what of the first frame's colours no ordinary screen shows ("PQ (HDR), BT.2020"), or empty.
        first_frame_error: why the first frame does not decode, or None if it does.
    """

    name: str
    container: str
    major_brand: str | None
    size_bytes: int
    missing_bytes: int = 0
    video_streams: int = 0
    audio_streams: int = 0
    codec: str | None = None
    profile: str | None = None
    pixel_format: str | None = None
    width: int = 0
    height: int = 0
    coded_width: int = 0
    coded_height: int = 0
    rotation: int = 0
    mirrored: bool = False
    sample_aspect_ratio: Fraction = Fraction(1)
    frame_count: int | None = None
    fps: float | None = None
    base_fps: float | None = None
    variable_frame_rate: bool | None = None
    duration: float | None = None
    interlaced: bool | None = None
    colours: str = ""
    first_frame_error: str | None = None

    @property
    def is_mp4(self) -> bool:
        """True for MP4 proper; QuickTime files share FFmpeg's format name but not the brand."""
        return "mp4" in self.container.split(",") and self.major_brand not in (None, "qt")


def probe(source: Source, *, name: str | None = None, max_pixels: int = MAX_PIXELS) -> VideoHeader:
    """Read the headers and decode the first frame, nothing more.

    A media file without a video stream is a header with `video_streams` 0, not an error; so is one whose
    first frame is damaged (`first_frame_error`).

    Args:
        source: path, or seekable binary file object, which stays open.
        name: what messages call the file; its path if left out.
        max_pixels: largest picture that is decoded, width times height.

    Raises:
        VideoError: the file is missing, empty, no media file, or its header is missing or damaged.
    """
    label = name_of(source, name)
    with open_container(source, name=label, headers_only=True, max_pixels=max_pixels) as container:
        stream = video_stream(container)
        brand = texts_of(container.metadata).get("major_brand")
        known: dict[str, Any] = {
            "name": label,
            "container": container.format.name,
            "major_brand": brand.strip() if brand else None,
            "video_streams": sum(1 for _ in _video_streams(container)),
            "audio_streams": len(container.streams.audio),
        }
        if stream is not None:
            known |= _stream_facts(container, stream, max_pixels)
    size = size_of(source)
    end = known.pop("samples_end", 0)
    return VideoHeader(**known, size_bytes=size, missing_bytes=max(0, end - size))


def _video_streams(container: Any) -> Iterator[Any]:
    cover = av.stream.Disposition.attached_pic
    return (stream for stream in container.streams.video if not stream.disposition & cover)


def video_stream(container: Any) -> Any | None:
    """The first video stream that is no cover picture, or None."""
    return next(_video_streams(container), None)


def _stream_facts(container: Any, stream: Any, max_pixels: int) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "frame_count": stream.frames or None,
        "fps": float(stream.average_rate) if stream.average_rate else None,
        "base_fps": float(stream.base_rate) if stream.base_rate else None,
        "duration": _duration(container, stream),
    }
    facts |= _sample_table(container, stream)
    context = stream.codec_context
    if context is None:
        return facts | {
            "first_frame_error": "FFmpeg has no decoder for it",
            "sample_aspect_ratio": _aspect(stream),
        }
    facts |= {"codec": context.codec.canonical_name, "profile": stream.profile}
    width, height, upright = context.width, context.height, Orientation()
    try:
        frame = decode_first(container, stream, max_pixels=max_pixels)
    except av.FFmpegError as error:
        facts["first_frame_error"] = too_large(width, height, max_pixels) or str(error.strerror)
    else:
        width, height, upright = frame.width, frame.height, orientation_of(frame)
        facts |= {
            "pixel_format": frame.format.name,
            "interlaced": frame.interlaced_frame,
            "colours": _colours(frame),
        }
        if frame.is_corrupt:
            facts["first_frame_error"] = "its data are damaged"
    aspect = _aspect(stream)  # Matroska, MPEG-TS and AVI leave it to the codec, which knows it only now
    return facts | {
        "sample_aspect_ratio": 1 / aspect if upright.transpose else aspect,
        "coded_width": width,
        "coded_height": height,
        "width": height if upright.transpose else width,
        "height": width if upright.transpose else height,
        "rotation": upright.rotation,
        "mirrored": upright.mirrored,
    }


def _aspect(stream: Any) -> Fraction:
    """The container's word, else the codec's; a ratio that makes no sense is none."""
    own = stream.codec_context.sample_aspect_ratio if stream.codec_context is not None else None
    ratio = stream.sample_aspect_ratio or own or Fraction(1)
    return Fraction(ratio) if ratio > 0 else Fraction(1)


def _colours(frame: Any) -> str:
    found = [_TRANSFERS.get(int(frame.color_trc)), _PRIMARIES.get(int(frame.color_primaries))]
    return ", ".join(name for name in found if name)


def _duration(container: Any, stream: Any) -> float | None:
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else None


def _sample_table(container: Any, stream: Any) -> dict[str, Any]:
    """What the list of samples tells without reading one."""
    facts: dict[str, Any] = {"variable_frame_rate": None}
    if "mp4" not in container.format.name.split(","):
        # Other containers index key frames only.
        if stream.average_rate and stream.base_rate:
            facts["variable_frame_rate"] = abs(stream.average_rate / stream.base_rate - 1) > 0.05
        return facts
    entries = list(islice(stream.index_entries, _ENTRIES_READ))
    facts["samples_end"] = max((entry.pos + entry.size for entry in entries), default=0)
    times = sorted(entry.timestamp for entry in entries)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    if len(gaps) > 1:
        facts["variable_frame_rate"] = uneven(gaps)
    return facts


def uneven(gaps: list[int]) -> bool:
    """True if the gaps between frames, in ticks, differ by more than rounding explains."""
    mean = sum(gaps) / len(gaps)
    spread = max(gaps) - min(gaps)
    return spread > max(1, 0.05 * mean) or spread > 0.5 * mean


def too_large(width: int, height: int, max_pixels: int) -> str | None:
    """What to say of pictures of this size, None where they may be decoded."""
    if width * height <= max_pixels:
        return None
    return f"pictures of {width}x{height} are larger than the largest that are decoded, {max_pixels} pixels"


def decode_first(container: Any, stream: Any, *, max_pixels: int = MAX_PIXELS) -> Any:
    """The first frame as a PyAV frame.

    Raises:
        av.FFmpegError: it does not decode.
    """
    context = stream.codec_context
    if context.codec.name not in DECODERS:
        raise av.InvalidDataError(0, "videos of this codec are not decoded")
    context.thread_count = 1
    context.options = size_options(max_pixels)
    for packet in islice(container.demux(stream), _PACKETS_TRIED):
        frames = context.decode(packet)
        if not frames and packet.size and packet.is_keyframe and not packet.is_discard:
            frames = context.decode(None)  # what the decoder keeps back for reordering comes out
            context.flush_buffers()
        if frames:
            return frames[0]
    raise av.InvalidDataError(0, "no frame comes out")
