"""A stranger's video as a player shows it: upright pictures at their times, and its sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
import numpy.typing as npt
from av.audio.resampler import AudioResampler
from av.video.reformatter import Colorspace, Interpolation

from ipvg_eval.leaderboard.study.errors import StudyError

Source = Path | BinaryIO
"""A path, or a file that is open for reading and can be sought."""
Pixels = npt.NDArray[np.uint8]
Samples = npt.NDArray[np.int16]

LONGEST = 120.0
"""Seconds. A longer video is not shown: everybody who compares it would have to watch it to the end."""
LARGEST = 4096 * 2304
"""Pixels of a picture; a larger one is not decoded."""
SOUND_RATE = 48_000
SCALING = (
    Interpolation.BICUBIC
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
)
"""Without the last three swscale darkens every picture by about one level."""

_STEP = 1 / 90_000
_HD = 720  # rows from which players take untagged colours for BT.709


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a player shows of a video.

    Attributes:
        width: of the shown picture, in square pixels, even.
        height: likewise.
        rate: pictures per second, on average.
        seconds: from the start of the first to the end of the last picture.
        sound: whether there is any.
    """

    width: int
    height: int
    rate: float
    seconds: float
    sound: bool


@dataclass(frozen=True)
class Picture:
    """A decoded picture.

    Attributes:
        frame: as it is stored.
        time: seconds from the first picture, later than the one before.
        aspect: width of a stored pixel by its height.
    """

    frame: Any
    time: float
    aspect: Fraction

    def upright(self) -> Pixels:
        """RGB, turned as the file says, of even size; its pixels need not be square."""
        unsaid = int(self.frame.colorspace) == 2
        matrix = (Colorspace.ITU709 if self.frame.height >= _HD else Colorspace.ITU601) if unsaid else None
        pixels: Pixels = self.frame.to_ndarray(format="rgb24", src_colorspace=matrix, interpolation=SCALING)
        transpose, flip_x, flip_y = _turn(self.frame)
        if transpose:
            pixels = pixels.transpose(1, 0, 2)
        pixels = pixels[:: -1 if flip_y else 1, :: -1 if flip_x else 1]
        height, width = (side - side % 2 for side in pixels.shape[:2])
        return np.ascontiguousarray(pixels[:height, :width])

    @property
    def shown_size(self) -> tuple[int, int]:
        """Width and height in square pixels: the side that is too short is made longer, as players do."""
        width, height = (side - side % 2 for side in (self.frame.width, self.frame.height))
        aspect = self.aspect
        if aspect > 1:
            width = 2 * round(width * aspect / 2)
        elif aspect < 1:
            height = 2 * round(height / aspect / 2)
        return (height, width) if _turn(self.frame)[0] else (width, height)


def look(source: Source) -> Facts:
    """Decode a whole video and say what it is.

    Raises:
        StudyError: no picture can be decoded, its pictures are too large, or it is too long.
    """
    first, last, count = None, 0.0, 0
    with _open(source) as container:
        fallback = float(container.streams.video[0].average_rate or 25) if container.streams.video else 25.0
        sound = bool(container.streams.audio)
        for picture in _pictures(container):
            first = first or picture
            last, count = picture.time, count + 1
    if first is None:
        raise StudyError("no picture can be decoded")
    rate = (count - 1) / last if count > 1 else fallback
    width, height = first.shown_size
    return Facts(width=width, height=height, rate=rate, seconds=last + 1 / rate, sound=sound)


def pictures(source: Source) -> Iterator[Picture]:
    """The pictures that decode; ends where decoding fails. Those of another size than the first are left out.

    Raises:
        StudyError: as `look`.
    """
    with _open(source) as container:
        yield from _pictures(container)


def sound(source: Source, seconds: float) -> Samples:
    """The sound that goes with the pictures: (2, seconds x 48000), silent where there is none."""
    length = round(seconds * SOUND_RATE)
    heard = np.zeros((2, length), dtype=np.int16)
    with _open(source) as container:
        if not container.streams.audio:
            return heard
        start = next((float(frame.time or 0) for frame in _decoded(container, "video")), 0.0)
    with _open(source) as container:
        # One channel is heard on both sides at full level, as players do.
        single = container.streams.audio[0].codec_context.layout.nb_channels == 1
        layout = "mono" if single else "stereo"
        resampler = AudioResampler(format="s16p", layout=layout, rate=SOUND_RATE)
        for frame in _decoded(container, "audio"):
            for part in resampler.resample(frame):
                at = round((float(part.time or 0) - start) * SOUND_RATE)
                samples = part.to_ndarray()[:, max(0, -at) :]
                at = max(0, at)
                room = heard[:, at : at + samples.shape[1]]
                room[:] = samples[:, : room.shape[1]]
            if at >= length:
                break
    return heard


def _open(source: Source) -> Any:
    # Submitted files are not trusted: nothing but this one file is opened, whatever its content asks for.
    if isinstance(source, Path):
        return av.open(f"file:{source}", options={"protocol_whitelist": "file"})
    source.seek(0)
    return av.open(source, options={"protocol_whitelist": "file"})


def _pictures(container: Any) -> Iterator[Picture]:
    if not container.streams.video:
        raise StudyError("there is no picture stream")
    stream = container.streams.video[0]
    if stream.codec_context.width * stream.codec_context.height > LARGEST:
        raise StudyError(f"its pictures have more than {LARGEST} pixels")
    rate = stream.average_rate or stream.guessed_rate or Fraction(25)
    aspect = stream.sample_aspect_ratio or Fraction(1)
    start: float | None = None
    last, size = -_STEP, None
    for count, frame in enumerate(_decoded(container, "video")):
        size = size or (frame.width, frame.height)
        if (frame.width, frame.height) != size:
            continue
        time = frame.time if frame.time is not None else count / float(rate)
        start = time if start is None else start
        last = max(time - start, last + _STEP)
        if last > LONGEST:
            raise StudyError(f"it is longer than {LONGEST:g} s")
        yield Picture(frame, last, aspect)


def _decoded(container: Any, kind: str) -> Iterator[Any]:
    try:
        yield from container.decode(**{kind: 0})
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
