"""Looking at a video that a command or a server has made, before it counts."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from ipvg_eval.core.bounded import OutOfBounds, open_regular
from ipvg_eval.reference_generator.errors import SystemFailed
from ipvg_eval.reference_generator.settings import VideoSettings
from ipvg_eval.reference_generator.task import Clip
from ipvg_eval.reference_generator.video_file import Pictures

LARGEST = 2 * 2**30
"""Bytes of a file that is still looked at."""

_FPS_TOLERANCE = 0.01


@dataclass(frozen=True, kw_only=True)
class MadeVideo:
    """What a video file is.

    Attributes:
        width: pixels.
        height: pixels.
        fps: frames per second.
        frames: how many.
        stills: first, middle and last picture, (height, width, 3) RGB uint8 each; empty where only headers
            were read.
    """

    width: int
    height: int
    fps: float
    frames: int
    stills: Sequence[Pictures] = ()


LookAt = Callable[[Path], MadeVideo]
"""Reads a video file; raises SystemFailed where it is no sound MP4 video with H.264."""


def look_at(path: Path) -> MadeVideo:
    """Read a video's headers in this process. The command line looks closer, in a process that is confined.

    Raises:
        SystemFailed: it is no MP4 video with H.264.
    """
    try:
        with av.open(f"file:{path}", options={"skip_frame": "all"}, format="mp4") as file:
            stream = file.streams.video[0]
            packets = sum(1 for packet in file.demux(stream) if packet.size)
            codec, rate = stream.codec_context.name, stream.average_rate
            width, height = stream.codec_context.width, stream.codec_context.height
    except (av.FFmpegError, IndexError) as error:
        raise SystemFailed(f"what it made is no MP4 video ({error})") from error
    if codec != "h264":
        raise SystemFailed(f"what it made is {codec} video, not H.264")
    return MadeVideo(width=width, height=height, fps=float(rate or 0), frames=packets)


def take(made: Path, place: Path) -> None:
    """Copy a foreign file, so that nobody changes what was looked at.

    Raises:
        SystemFailed: there is none, it is no plain file, too large or empty.
    """
    try:
        with open_regular(made, most=LARGEST) as source, place.open("wb") as target:
            shutil.copyfileobj(source, target)
            size = target.tell()
    except OutOfBounds as error:
        raise SystemFailed(f"what it made cannot be taken: {error}") from error
    except IsADirectoryError as error:
        raise SystemFailed("what it made cannot be taken: it is no regular file") from error
    except FileNotFoundError as error:
        raise SystemFailed("it made no video") from error
    if not size:
        raise SystemFailed("the video that it made is an empty file")


def check_made(path: Path, wanted: VideoSettings, look: LookAt) -> tuple[MadeVideo, tuple[str, ...]]:
    """Hold a foreign video against what was asked for.

    Args:
        path: the file.
        wanted: size and rate that it must have.
        look: reads it.

    Returns:
        What it is, and notes for the record.

    Raises:
        SystemFailed: it is no sound video, or another than was asked for.
    """
    found = look(path)
    if (found.width, found.height) != (wanted.width, wanted.height):
        raise SystemFailed(
            f"its video has {found.width}x{found.height} pixels where {wanted.width}x{wanted.height} were "
            f"asked for; if that is its size, say so: --set video.width={found.width} "
            f"--set video.height={found.height}"
        )
    if abs(found.fps - wanted.fps) > _FPS_TOLERANCE * wanted.fps:
        raise SystemFailed(
            f"its video has {found.fps:g} frames/s where {wanted.fps:g} were asked for; if that is its rate, "
            f"say so: --set video.fps={found.fps:g}"
        )
    if found.frames != wanted.frames:
        return found, (f"the video has {found.frames} frames, {wanted.frames} are the settings'",)
    return found, ()


def check_clip(made: object, wanted: VideoSettings) -> None:
    """Hold what a system answered with, where it is no file, against what was asked for.

    Raises:
        SystemFailed: it is no clip, or one of another size.
    """
    if not isinstance(made, Clip):
        raise SystemFailed(f"the system answered with {type(made).__name__}, not with a Clip or a path")
    pictures = made.pictures
    if not isinstance(pictures, np.ndarray) or pictures.dtype != np.uint8 or pictures.ndim != 4:
        raise SystemFailed("the system's pictures are no array of uint8 with the shape (n, height, width, 3)")
    if pictures.shape[1:] != (wanted.height, wanted.width, 3) or not len(pictures):
        shown = " x ".join(map(str, pictures.shape))
        raise SystemFailed(
            f"the system's pictures have the shape {shown} where n x {wanted.height} x {wanted.width} x 3 "
            "was asked for; check video.width and video.height"
        )
