"""Which frames a video file holds, and when each is shown."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import accumulate
from typing import Any

import av

from ipvg_eval.core.measurement import ClipInfo
from ipvg_eval.errors import VideoError
from ipvg_eval.video.container import DECODERS, EXPORT_AGAIN, MAX_PIXELS, Source, name_of, open_container
from ipvg_eval.video.header import VideoHeader, probe, too_large, video_stream

_DEFAULT_FPS = 25.0  # FFmpeg's own assumption where a file gives no rate at all


@dataclass(frozen=True, kw_only=True)
class FrameIndex:
    """Every frame of a video in presentation order, from its packets. Plain data, may be pickled.

    Attributes:
        header: the file's header.
        pts: presentation time stamp of every frame in ticks of `time_base`, ascending; None if a frame has
            none, in which case the frames stand in the order of the file.
        time_base: length of a tick in seconds.
        clip: what evaluators are told.
        decode_position: where each frame stands in decoding order.
        chain_start: decoding position of the key frame from which each frame is predicted.
        settled: highest frame index among a frame and all that are decoded before it.
        incomplete: frames whose data are cut off or marked as damaged by the container.
        damage: why frames are missing from the file, or None.
        max_pixels: largest picture that may be decoded.
    """

    header: VideoHeader
    pts: tuple[int, ...] | None
    time_base: Fraction
    clip: ClipInfo
    decode_position: tuple[int, ...] = field(repr=False)
    chain_start: tuple[int, ...] = field(repr=False)
    settled: tuple[int, ...] = field(repr=False)
    incomplete: frozenset[int] = frozenset()
    damage: str | None = None
    max_pixels: int = MAX_PIXELS

    @property
    def first_time(self) -> float:
        """Presentation time of the first frame in seconds, on the file's clock; 0 without time stamps."""
        return float(self.pts[0] * self.time_base) if self.pts else 0.0

    @property
    def first_repeated_time(self) -> int | None:
        """Index of the first frame that is shown at the same time as the one before it, or None."""
        if self.pts is None:
            return None
        return next((i for i in range(1, len(self.pts)) if self.pts[i] == self.pts[i - 1]), None)


@dataclass(frozen=True)
class _Packet:
    pts: int | None
    duration: int
    key: bool
    incomplete: bool


def index_frames(source: Source, *, time_limit: float = 120.0, max_pixels: int = MAX_PIXELS) -> FrameIndex:
    """Read every packet once, without decoding, and list the frames.

    Packets that an edit list hides are left out. Times count from the first frame. The frame rate is
    (n - 1) / (time of the last frame), or the container's where the two agree within 1 %; with a single
    frame or without time stamps it is the container's, else 25. Without time stamps frame i lies at
    (i + 0.5) / fps. The duration runs to the end of the last frame.

    In a file that ends early only the frames in it count. With B-frames the last few of them may have gaps
    between them, which their times show.

    Args:
        source: path, or seekable binary file object, which stays open.
        time_limit: seconds of reading.
        max_pixels: largest picture, width times height, before rotation.

    Raises:
        VideoError: the file cannot be opened, has no video stream or no frame, its pictures are too large
            or have no size, or reading took longer than `time_limit` seconds.
    """
    path = name_of(source)
    header = probe(source, max_pixels=max_pixels)
    _check_size(header, path, max_pixels)
    with open_container(source, max_pixels=max_pixels) as container:
        stream = video_stream(container)
        context = None if stream is None else stream.codec_context
        if stream is None or context is None or context.codec.name not in DECODERS:
            what = "no video stream" if stream is None else "a video stream of a codec that is not decoded"
            raise VideoError(f"the file has {what}", path=path, hint=EXPORT_AGAIN)
        packets, damage = _read_packets(container, stream, path, time_limit)
        time_base = Fraction(stream.time_base)
    if not packets:
        message = f"no frame can be read ({damage})" if damage else "the video holds no frame"
        raise VideoError(message, path=path, hint=EXPORT_AGAIN)
    stamps = [packet.pts for packet in packets]
    ordered = [pts for pts in stamps if pts is not None]
    # AVI stores none; FFmpeg fills in decoding times, which are wrong where B-frames reorder.
    timed = len(ordered) == len(stamps) and header.container != "avi"
    # In Python's stable order, frames of the same time keep the order of the file.
    shown = sorted(range(len(packets)), key=lambda k: ordered[k]) if timed else list(range(len(packets)))
    ranks = [0] * len(packets)
    for rank, position in enumerate(shown):
        ranks[position] = rank
    chains = _chain_starts(packets, ranks)
    highest = list(accumulate(ranks, max))
    pts = tuple(ordered[k] for k in shown) if timed else None
    return FrameIndex(
        header=header,
        pts=pts,
        time_base=time_base,
        clip=_clip(header, pts, time_base, len(packets), packets[shown[-1]].duration),
        decode_position=tuple(shown),
        chain_start=tuple(chains[k] for k in shown),
        settled=tuple(highest[k] for k in shown),
        incomplete=frozenset(ranks[k] for k, packet in enumerate(packets) if packet.incomplete),
        damage=damage,
        max_pixels=max_pixels,
    )


def _check_size(header: VideoHeader, path: str, max_pixels: int) -> None:
    """What a frame that decodes has shown counts; what headers say only where none does."""
    if (reason := too_large(header.coded_width, header.coded_height, max_pixels)) is not None:
        raise VideoError(reason, path=path, hint="Lower the resolution.")
    if header.codec in DECODERS and not header.width * header.height:
        raise VideoError("its pictures have no size", path=path, hint=EXPORT_AGAIN)


def _read_packets(
    container: Any, stream: Any, path: str, time_limit: float
) -> tuple[list[_Packet], str | None]:
    packets: list[_Packet] = []
    read = 0
    damage = None
    deadline = time.monotonic() + time_limit
    try:
        for packet in container.demux(stream):
            if not packet.size:
                continue
            read += 1
            if not packet.is_discard:
                packets.append(
                    _Packet(packet.pts, packet.duration or 0, packet.is_keyframe, packet.is_corrupt)
                )
            if time.monotonic() > deadline:
                raise VideoError(f"reading the packets took longer than {time_limit:g} s", path=path)
    except av.FFmpegError as error:
        damage = f"the file cannot be read beyond frame {len(packets) - 1} ({error.strerror})"
    listed = len(stream.index_entries)
    if damage is None and read < listed:
        damage = f"the file ends early: {listed - read} of {listed} frames lie beyond its end"
    return packets, damage


def _chain_starts(packets: list[_Packet], ranks: list[int]) -> list[int]:
    """Per decoding position, the key frame's position from which the frame may be predicted.

    Frames decoded after a key frame but shown before it (open groups of pictures) also depend on the group
    before it.
    """
    starts = []
    key = before = 0
    for position, packet in enumerate(packets):
        if packet.key:
            key, before = position, key
        starts.append(before if ranks[position] < ranks[key] else key)
    return starts


def _clip(
    header: VideoHeader, pts: tuple[int, ...] | None, time_base: Fraction, count: int, last_duration: int
) -> ClipInfo:
    fps = header.fps or _DEFAULT_FPS
    if pts is None:
        times = tuple((i + 0.5) / fps for i in range(count))
        duration = count / fps
    else:
        times = tuple(float((stamp - pts[0]) * time_base) for stamp in pts)
        if times[-1] > 0:
            measured = (count - 1) / times[-1]
            if header.fps is None or abs(measured / header.fps - 1) > 0.01:
                fps = measured
        duration = times[-1] + (float(last_duration * time_base) or 1 / fps)
    return ClipInfo(
        frame_count=count,
        width=header.width,
        height=header.height,
        fps=fps,
        duration=duration,
        times=times,
    )
