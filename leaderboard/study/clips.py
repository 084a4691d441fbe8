"""Clips for the browser: H.264 in MP4, silent, without a trace of where they come from."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.bitstream import BitStreamFilterContext
from av.video.frame import VideoFrame

from ipvg_eval.leaderboard.study.errors import StudyError

_PLAYABLE_PIXELS = ("yuv420p", "yuvj420p")
_PLAYABLE_PROFILES = (
    "Baseline",
    "Constrained Baseline",
    "Main",
    "High",
    "Constrained High",
)
_QUALITY = {"crf": "14", "preset": "medium"}
_BLOCKS = 16
Pixels = npt.NDArray[np.uint8]

_MP4 = {"movflags": "+faststart", "fflags": "+bitexact"}
_TIME_BASE = Fraction(1, 90_000)

# x264 writes its version and settings into the stream, muxers and encoders their names into the container.
TRACES = (b"x264", b"x265", b"Lavf", b"Lavc", b"libx", b"ffmpeg", b"HandBrake")


def anonymous_clip(source: Path, target: Path, forbidden: Iterable[str] = ()) -> float:
    """Copy a video so that a browser can play it and nothing tells who made it.

    The picture stream is copied bit by bit, less its user data, where browsers can play it: H.264, 8 bits,
    4:2:0, upright. Anything else, and a copy that still holds a trace, is encoded anew at high quality.
    Sound, subtitles and metadata are dropped.

    Args:
        source: the video.
        target: the MP4 file to write.
        forbidden: texts that must not be in the file, such as the team's and the file's names.

    Returns:
        seconds from the start of the first to the end of the last picture.

    Raises:
        StudyError: no picture can be decoded.
    """
    traces = [*TRACES, *(text.encode() for text in forbidden if len(text.encode()) > 3)]
    try:
        if _playable(source):
            _remux(source, target)
            if not holds(target, traces):
                return _checked_duration(target)
    except (av.FFmpegError, ValueError, StudyError):
        pass  # what cannot be copied can perhaps still be decoded
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        encoded = Path(folder) / "encoded.mp4"
        _encode(source, encoded, corrupt=None)
        _remux(encoded, target)
    return _checked_duration(target)


def corrupted_clip(source: Path, target: Path, *, rng: np.random.Generator) -> float:
    """A copy that nobody who looks can prefer: coarse blocks, noise and no colour.

    Args:
        source: a clip that `anonymous_clip` wrote.
        target: the MP4 file to write.
        rng: of the noise.

    Returns:
        seconds, as `anonymous_clip`.
    """
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        encoded = Path(folder) / "encoded.mp4"
        _encode(source, encoded, corrupt=rng)
        _remux(encoded, target)
    return _checked_duration(target)


def holds(path: Path, traces: Iterable[bytes]) -> bool:
    """Whether any of these byte strings is in a file, in upper or lower case."""
    content = path.read_bytes().lower()
    return any(trace.lower() in content for trace in traces)


def _open(source: Path) -> Any:
    # Submitted files are not trusted: nothing but this one file is opened, whatever its content asks for.
    return av.open(f"file:{source}", options={"protocol_whitelist": "file"})


def _playable(source: Path) -> bool:
    with _open(source) as container:
        if not container.streams.video:
            raise StudyError("there is no picture stream")
        stream = container.streams.video[0]
        context = stream.codec_context
        if context.name != "h264" or context.pix_fmt not in _PLAYABLE_PIXELS:
            return False
        if context.profile not in _PLAYABLE_PROFILES:
            return False
        first = next(container.decode(stream), None)
        return first is not None and _turn(first) == (False, False, False) and not first.interlaced_frame


def _remux(source: Path, target: Path) -> None:
    with _open(source) as given, av.open(str(target), "w", format="mp4", options=_MP4) as made:
        stream = given.streams.video[0]
        copy = made.add_stream_from_template(stream)
        copy.metadata.clear()
        without_user_data = BitStreamFilterContext("filter_units=remove_types=6", stream, copy)
        for packet in given.demux(stream):
            if packet.dts is None:
                continue
            for kept in without_user_data.filter(packet):
                kept.stream = copy
                made.mux(kept)
        for kept in without_user_data.filter(None):
            kept.stream = copy
            made.mux(kept)


def _encode(source: Path, target: Path, *, corrupt: np.random.Generator | None) -> None:
    """Encode the pictures that decode, each at its time."""
    with av.open(str(target), "w", format="mp4", options=_MP4) as made:
        stream: Any = None
        for pixels, seconds, rate in _pictures(source):
            if stream is None:
                stream = made.add_stream("libx264", rate=rate, options=_QUALITY)
                stream.height, stream.width = pixels.shape[:2]
                stream.pix_fmt = "yuv420p"
                stream.codec_context.time_base = _TIME_BASE
            shown = pixels if corrupt is None else _ruined(pixels, corrupt)
            frame = VideoFrame.from_ndarray(shown, format="rgb24")
            frame.pts, frame.time_base = round(seconds / _TIME_BASE), _TIME_BASE
            made.mux(stream.encode(frame))
        made.mux(stream.encode())


def _pictures(source: Path) -> Iterator[tuple[Pixels, float, Fraction]]:
    """Upright RGB pictures of even size, each with its time from 0 and the frame rate.

    Ends where decoding fails. Pictures of another size than the first are left out.
    """
    with _open(source) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        start: float | None = None
        last, shape = -float(_TIME_BASE), None
        for count, frame in enumerate(_decoded(container)):
            pixels = _upright(frame)
            shape = shape or pixels.shape
            if pixels.shape != shape:
                continue
            time = frame.time if frame.time is not None else count / float(rate)
            start = time if start is None else start
            last = max(time - start, last + float(_TIME_BASE))
            yield pixels, last, rate
    if start is None:
        raise StudyError("no picture can be decoded")


def _decoded(container: Any) -> Iterator[VideoFrame]:
    try:
        yield from container.decode(video=0)
    except av.FFmpegError:
        return


def _turn(frame: Any) -> tuple[bool, bool, bool]:
    """Whether to transpose the stored picture, then to mirror it left-right, then top-bottom.

    The display matrix maps stored (x, y), y down, to shown (a x + c y, b x + d y).
    """
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return False, False, False
    a, b, _, c, d = np.frombuffer(bytes(data), dtype=np.int32)[:5].astype(np.int64)
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return False, bool(a < 0), bool(d < 0)
    return True, bool(c < 0), bool(b < 0)


def _upright(frame: Any) -> Pixels:
    pixels: Pixels = frame.to_ndarray(format="rgb24")
    transpose, flip_x, flip_y = _turn(frame)
    if transpose:
        pixels = pixels.transpose(1, 0, 2)
    pixels = pixels[:: -1 if flip_y else 1, :: -1 if flip_x else 1]
    height, width = (side - side % 2 for side in pixels.shape[:2])
    return np.ascontiguousarray(pixels[:height, :width])


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


def _checked_duration(path: Path) -> float:
    """Decode the whole file, as a browser would, and measure it."""
    ends = [0.0]
    with _open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        rate = float(stream.average_rate or 25)
        pictures = 0
        for frame in container.decode(stream):
            pictures += 1
            ends.append((frame.time or 0.0) + 1 / rate)
    if not pictures:
        raise StudyError("no picture can be decoded")
    return max(ends)
