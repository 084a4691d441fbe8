"""Clips for the browser, decoded and encoded anew in one way, so that nothing but their pictures differs.

All clips of a sample have one picture size, one frame rate and one length. The encoder has one set of
parameters and a fixed order of frame types, and keeps nothing but slices; `pad` then makes the frames at each
place of all clips equally large. Two clips of a sample are the same bytes outside their compressed pictures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from ipvg_eval.leaderboard.study.clip_source import (
    SCALING,
    SOUND_RATE,
    Facts,
    Pixels,
    Samples,
    Source,
    look,
    pictures,
    sound,
)
from ipvg_eval.leaderboard.study.errors import StudyError

__all__ = ["ENCODER", "Facts", "Shape", "common_shape", "encode", "look", "pad"]

CRF = 14
# Without looking ahead the same pictures always give the same bytes.
_X264 = (
    "keyint=48:min-keyint=48:scenecut=0:open-gop=0:bframes=2:b-adapt=0:b-pyramid=none:weightp=1:"
    "mbtree=0:rc-lookahead=0:sync-lookahead=0:threads=1"
)
# One libopus packet of 20 ms at a constant rate is as large as any other.
_OPUS = {"vbr": "off", "application": "audio", "frame_duration": "20"}
_OPUS_FRAME = SOUND_RATE // 50
_OPUS_BITS = 128_000
_MP4 = {"movflags": "+faststart", "fflags": "+bitexact", "video_track_timescale": "90000"}
ENCODER = f"libx264 medium crf={CRF} {_X264} av {av.__version__}"
"""What a clip depends on besides its source and shape."""

_RATES = (8, 10, 12, 15, 16, 18, 20, 24, 25, 30, 36, 40, 48, 50, 60)
_LONGEST_SIDE = 1920
_SMALLEST_SIDE = 16
_GLOBAL_HEADER, _BIT_EXACT = 1 << 22, 1 << 23
_SLICES = (1, 5)
_FILLER = 12
_LEAST_FILLER = 6
_BLOCKS = 16


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What all clips of a sample have in common.

    Attributes:
        width: pixels, even.
        height: pixels, even.
        rate: pictures per second.
        count: pictures.
        sound: whether there is a sound track.
    """

    width: int
    height: int
    rate: int
    count: int
    sound: bool = False

    @property
    def seconds(self) -> float:
        """How long a clip plays."""
        return self.count / self.rate


def common_shape(videos: Sequence[Facts], *, keep_sound: bool = False) -> Shape:
    """The shape in which videos are compared.

    The picture holds the widest and the highest, at most 1920 pixels a side. The rate is the smallest at
    which every video's pictures come at their times, else 60. The length is the longest video's; the others
    keep their last picture, as a player does.
    """
    width, height = max(video.width for video in videos), max(video.height for video in videos)
    scale = min(1.0, _LONGEST_SIDE / max(width, height))
    rate = next((rate for rate in _RATES if all(_divides(video.rate, rate) for video in videos)), _RATES[-1])
    return Shape(
        width=max(_SMALLEST_SIDE, 2 * round(width * scale / 2)),
        height=max(_SMALLEST_SIDE, 2 * round(height * scale / 2)),
        rate=rate,
        count=max(1, round(max(video.seconds for video in videos) * rate)),
        sound=keep_sound,
    )


def encode(source: Source, target: Path, shape: Shape, spoil: int | None = None) -> list[int]:
    """Write a video's pictures as H.264 in MP4; nothing else of it is kept.

    Args:
        source: the video.
        target: the file to write. It must go through `pad` before anybody gets it.
        shape: of the clip.
        spoil: seed of the noise in a copy that nobody can prefer: coarse blocks without colour.

    Returns:
        bytes of every frame, in the order of the file.

    Raises:
        StudyError: no picture can be decoded; else as `look`.
    """
    sizes: list[int] = []
    with av.open(str(target), "w", format="mp4", options=_MP4) as made:
        stream = _picture_stream(made, shape)
        tone = _sound_stream(made) if shape.sound else None
        for number, frame in enumerate(_ticks(source, shape, spoil)):
            frame.pts, frame.time_base = number, Fraction(1, shape.rate)
            _write(made, stream.encode(frame), sizes)
        _write(made, stream.encode(), sizes)
        if tone is not None:
            for packet in _sound_packets(tone, sound(source, shape.seconds)):
                made.mux(packet)
    return sizes


def pad(source: Path, target: Path, sizes: Sequence[int]) -> None:
    """Fill every frame up with filler data, which decoders skip.

    Args:
        source: a clip that `encode` wrote.
        target: the file to write.
        sizes: for every place the largest frame of any clip, in bytes; may have more places.
    """
    with av.open(f"file:{source}") as given, av.open(str(target), "w", format="mp4", options=_MP4) as made:
        copies = {stream.index: made.add_stream_from_template(stream) for stream in given.streams}
        for copy in copies.values():
            copy.metadata.clear()
        place = 0
        for packet in given.demux():
            if packet.dts is None:
                continue
            kept = packet
            if packet.stream.type == "video":
                content = bytes(packet)
                room = sizes[place] + _LEAST_FILLER - len(content)
                kept = av.Packet(content + _filler(room))
                kept.pts, kept.dts, kept.time_base = packet.pts, packet.dts, packet.time_base
                kept.duration, kept.is_keyframe = packet.duration, packet.is_keyframe
                place += 1
            kept.stream = copies[packet.stream.index]
            made.mux(kept)


def _divides(rate: float, grid: int) -> bool:
    steps = grid / rate
    return steps > 0.9 and abs(steps - round(steps)) < 0.002 * steps


def _picture_stream(made: Any, shape: Shape) -> Any:
    # The rate of a hard picture is bounded, as all clips get the size of the largest.
    kilobits = 2000 + round(0.5 * shape.width * shape.height * shape.rate / 1000)
    bounded = f"{_X264}:vbv-maxrate={kilobits}:vbv-bufsize={kilobits}"
    options = {"crf": str(CRF), "preset": "medium", "x264-params": bounded}
    stream = made.add_stream("libx264", rate=shape.rate, options=options)
    stream.width, stream.height, stream.pix_fmt = shape.width, shape.height, "yuv420p"
    context = stream.codec_context
    context.flags |= _GLOBAL_HEADER | _BIT_EXACT
    context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU709
    context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
    return stream


def _write(made: Any, packets: Sequence[Any], sizes: list[int]) -> None:
    """Mux the slices of packets in Annex B form; what else the encoder says stays out."""
    for packet in packets:
        units = [unit for unit in _units(bytes(packet)) if unit[0] & 31 in _SLICES]
        kept = av.Packet(b"".join(b"\0\0\0\1" + unit for unit in units))
        kept.pts, kept.dts, kept.time_base = packet.pts, packet.dts, packet.time_base
        kept.duration, kept.is_keyframe, kept.stream = packet.duration, packet.is_keyframe, packet.stream
        sizes.append(sum(4 + len(unit) for unit in units))
        made.mux(kept)


def _units(stream: bytes) -> list[bytes]:
    """NAL units of a stream with start codes; a unit never ends in a zero byte."""
    return [part.rstrip(b"\0") for part in stream.split(b"\0\0\1") if part.strip(b"\0")]


def _filler(size: int) -> bytes:
    return (size - 4).to_bytes(4, "big") + bytes([_FILLER]) + b"\xff" * (size - 6) + b"\x80"


def _ticks(source: Source, shape: Shape, spoil: int | None) -> Iterator[VideoFrame]:
    """The picture that stands at each tick of the clip; the last one is held to the end."""
    noise = None if spoil is None else np.random.default_rng(spoil)
    shown = None
    tick = 0
    for picture in pictures(source):
        until = min(shape.count, round(picture.time * shape.rate))
        if shown is not None and tick < until:
            frame = _fitted(shown, shape, noise)
            for _ in range(tick, until):
                yield frame
            tick = until
        if tick >= shape.count:
            return
        shown = picture
    if shown is None:
        raise StudyError("no picture can be decoded")
    frame = _fitted(shown, shape, noise)
    for _ in range(tick, shape.count):
        yield frame


def _fitted(picture: Any, shape: Shape, noise: np.random.Generator | None) -> VideoFrame:
    """A picture in the middle of the clip's, as large as fits, between black bars."""
    pixels = picture.upright()
    if noise is not None:
        pixels = _ruined(pixels, noise)
    width, height = picture.shown_size
    scale = min(shape.width / width, shape.height / height)
    width, height = (max(2, 2 * round(side * scale / 2)) for side in (width, height))
    frame = VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
        width,
        height,
        format="yuv420p",
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        interpolation=SCALING,
    )
    if (width, height) == (shape.width, shape.height):
        return frame
    canvas = np.full((shape.height * 3 // 2, shape.width), 128, dtype=np.uint8)
    canvas[: shape.height] = 16
    left, top = ((shape.width - width) // 4 * 2, (shape.height - height) // 4 * 2)
    inner: Pixels = frame.to_ndarray()  # type: ignore[assignment]
    for whole, part, share in zip(_planes(canvas), _planes(inner), (1, 2, 2), strict=True):
        rows, columns = slice(top // share, (top + height) // share), left // share
        whole[rows, columns : columns + width // share] = part
    return VideoFrame.from_ndarray(canvas, format="yuv420p")


def _planes(picture: Pixels) -> tuple[Pixels, Pixels, Pixels]:
    """Views of the three planes of a yuv420p picture, as PyAV lays them out."""
    height, width = picture.shape[0] * 2 // 3, picture.shape[1]
    chroma = picture[height:].reshape(2, height // 2, width // 2)
    return picture[:height], chroma[0], chroma[1]


def _sound_stream(made: Any) -> Any:
    stream = made.add_stream("libopus", rate=SOUND_RATE, options=_OPUS, layout="stereo", format="s16")
    stream.bit_rate = _OPUS_BITS
    stream.codec_context.flags |= _GLOBAL_HEADER | _BIT_EXACT
    return stream


def _sound_packets(stream: Any, heard: Samples) -> Iterator[Any]:
    padded = np.pad(heard, ((0, 0), (0, -heard.shape[1] % _OPUS_FRAME)))
    for start in range(0, padded.shape[1], _OPUS_FRAME):
        part = padded[:, start : start + _OPUS_FRAME].T.reshape(1, -1)
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(part), format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, start, Fraction(1, SOUND_RATE)
        yield from stream.encode(frame)
    yield from stream.encode()


def _ruined(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    height, width = pixels.shape[:2]
    block = max(2, min(height, width) // _BLOCKS)
    grey = pixels.mean(axis=2)
    coarse = grey[block // 2 :: block, block // 2 :: block]
    coarse = coarse + rng.normal(0, 45, coarse.shape)
    large = np.repeat(np.repeat(coarse, block, axis=0), block, axis=1)
    large = np.pad(large, ((0, max(0, height - len(large))), (0, max(0, width - large.shape[1]))), "edge")
    grey8 = large[:height, :width].clip(0, 255).astype(np.uint8)
    return np.repeat(grey8[:, :, None], 3, axis=2)
