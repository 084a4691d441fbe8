"""Does a video decode? The first frame only, or all of them."""

from __future__ import annotations

from dataclasses import dataclass

import av
import numpy as np

from ipvg_eval.core.measurement import Frames
from ipvg_eval.errors import VideoError
from ipvg_eval.video.container import EXPORT_AGAIN, MAX_PIXELS, Source, name_of, open_container
from ipvg_eval.video.damage import DamageLog
from ipvg_eval.video.header import decode_first, video_stream
from ipvg_eval.video.index import FrameIndex, index_frames
from ipvg_eval.video.picture import Picture
from ipvg_eval.video.sequence import sound_frames


@dataclass(frozen=True, kw_only=True)
class FrameCheck:
    """The outcome of decoding a whole video.

    Attributes:
        index: the video's frame index.
        decoded: number of frames that decode.
        first_bad_time: presentation time in seconds of the first frame that does not decode or whose time
            stamp repeats or is missing; where the file ends early, the time at which its last frame ends;
            None if all is well.
        reason: what is wrong, or None if all is well.
    """

    index: FrameIndex
    decoded: int
    first_bad_time: float | None
    reason: str | None


def first_frame(source: Source, *, name: str | None = None) -> Frames:
    """The first frame as RGB pixels.

    Args:
        source: path, or seekable binary file object, which stays open.
        name: what messages call the file.

    Returns:
        (height, width, 3) uint8, upright.

    Raises:
        VideoError: the file cannot be opened, has no video stream, or its first frame does not decode.
    """
    label = name_of(source, name)
    with open_container(source, name=label, headers_only=True) as container:
        stream = video_stream(container)
        if stream is None or stream.codec_context is None:
            raise VideoError("there is no video stream that can be decoded", path=label, hint=EXPORT_AGAIN)
        try:
            frame = decode_first(container, stream)
            if not frame.is_corrupt:
                return np.ascontiguousarray(Picture().upright_rgb(frame))
            reason = "its data are damaged"
        except av.FFmpegError as error:
            reason = str(error.strerror)
    raise VideoError(f"the first frame does not decode ({reason})", path=label, hint=EXPORT_AGAIN)


def check_all_frames(
    source: Source, *, time_limit: float = 120.0, max_pixels: int = MAX_PIXELS
) -> FrameCheck:
    """Decode every frame and find the first that is bad. Nothing is converted to RGB.

    Raises:
        VideoError: the file cannot be opened, holds no frame, or takes longer than `time_limit` seconds.
    """
    index = index_frames(source, time_limit=time_limit, max_pixels=max_pixels)
    log = DamageLog(index)
    everything = range(index.clip.frame_count)
    decoded = sum(1 for _ in sound_frames(source, index, everything, log, time_limit=time_limit))
    times = index.clip.times
    bad: list[tuple[float, str | None]] = []
    if index.damage is not None:
        bad.append((index.clip.duration, None))
    if log.first_bad is not None:
        bad.append((times[log.first_bad], None))
    if index.pts is None:
        bad.append((0.0, "frames have no time stamps"))
    repeated = index.first_repeated_time
    if repeated is not None:
        bad.append((times[repeated], f"frames {repeated - 1} and {repeated} have the same time stamp"))
    reasons = [reason for reason in (log.summary, *(why for _, why in bad)) if reason]
    return FrameCheck(
        index=index,
        decoded=decoded,
        first_bad_time=min((when for when, _ in bad), default=None),
        reason="; ".join(reasons) or None,
    )
