"""The sound of a file, as one channel on the clock of its pictures."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from ipvg_eval.core.sound import LONGEST, RATE, NoSound, Sound
from ipvg_eval.errors import VideoError
from ipvg_eval.video.container import Source, name_of, open_container
from ipvg_eval.video.header import video_stream

SOUND_FORMATS = "mov,mp4,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,m4v,wav,flac,mp3,aac"
SOUND_DECODERS = (
    *("aac", "mp3float", "mp3", "opus", "libopus", "vorbis", "libvorbis", "flac", "alac", "ac3", "eac3"),
    *("pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_u8"),
)
"""The decoders of sound that strangers' files may reach."""

_MOST = int(LONGEST * RATE)


def read_sound(
    source: Source, *, first_picture: float | None = None, time_limit: float = 120.0
) -> Sound | NoSound:
    """The first stream of sound, mixed to one channel and resampled to `RATE`.

    Edit lists and the priming of codecs are applied by FFmpeg.

    Args:
        source: path, or seekable binary file object, which stays open.
        first_picture: presentation time of the first picture in seconds; where None, what the header says;
            a file without pictures is its own clock.
        time_limit: seconds of reading and decoding.

    Returns:
        The sound; or why there is none: no stream, no sample that decodes, a codec that is not decoded, more
        than `LONGEST` seconds of it.

    Raises:
        VideoError: the file cannot be opened, or the time is over.
    """
    with open_container(source, formats=SOUND_FORMATS, decoders=SOUND_DECODERS) as container:
        streams = container.streams.audio
        if not streams:
            return NoSound(reason="the file has no sound")
        stream = streams[0]
        context = stream.codec_context
        if context is None or context.codec.name not in SOUND_DECODERS:
            return NoSound(reason="the sound is of a codec that is not decoded")
        if container.duration and container.duration / av.time_base > LONGEST + 1:
            return _too_long()
        reading = _Reading(container, stream, time.monotonic() + time_limit, name_of(source))
        pieces, count = [], 0
        for piece in reading.pieces():
            pieces.append(piece)
            count += len(piece)
            if count > _MOST:
                return _too_long()
        if not count:
            return NoSound(reason=reading.problem or "the sound holds no sample")
        if first_picture is None:
            first_picture = _first_picture(container, reading.start)
        start = reading.start - first_picture
        notes = [f"the first of {len(streams)} streams of sound"] if len(streams) > 1 else []
        notes += [f"part of the sound does not decode ({reading.problem})"] if reading.problem else []
        samples = _on_the_clock(np.concatenate(pieces), round(start * RATE))
        if not len(samples) or len(samples) > _MOST:
            return NoSound(reason="the sound lies outside the time of the picture")
        return Sound(
            samples=samples,
            start=start,
            channels=int(context.channels),
            codec=context.codec.canonical_name,
            note="; ".join(notes) or None,
        )


class _Reading:
    """Samples of one stream.

    Attributes:
        start: presentation time of the first sample in seconds; 0 until one has come.
        problem: why part of it did not decode, or None.
    """

    def __init__(self, container: Any, stream: Any, deadline: float, path: str) -> None:
        self._container = container
        self._stream = stream
        self._deadline = deadline
        self._path = path
        self._begun = False
        self.start = 0.0
        self.problem: str | None = None

    def pieces(self) -> Iterator[npt.NDArray[np.int16]]:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        for frame in self._frames():
            if not self._begun and frame.pts is not None and frame.time_base is not None:
                self.start = float(frame.pts * frame.time_base)
            self._begun = True
            # What follows is joined without gaps, as the published scripts have it.
            frame.pts = None
            for part in resampler.resample(frame):
                yield _int16(part)
        if self._begun:
            for part in resampler.resample(None):
                yield _int16(part)

    def _frames(self) -> Iterator[Any]:
        packets = self._container.demux(self._stream)
        while True:
            if time.monotonic() > self._deadline:
                raise VideoError("decoding its sound takes too long", path=self._path)
            try:
                packet = next(packets, None)
            except av.FFmpegError as error:
                self.problem, packet = str(error.strerror), None
            if packet is None:
                return
            try:
                yield from packet.decode()
            except av.EOFError:
                return
            except av.FFmpegError as error:
                self.problem = str(error.strerror)


def _first_picture(container: Any, otherwise: float) -> float:
    pictures = video_stream(container)
    if pictures is None or pictures.start_time is None:
        return otherwise
    return float(pictures.start_time * pictures.time_base)


def _int16(part: Any) -> npt.NDArray[np.int16]:
    samples: npt.NDArray[np.int16] = part.to_ndarray().reshape(-1)
    return samples


def _on_the_clock(samples: npt.NDArray[np.int16], start: int) -> npt.NDArray[np.int16]:
    """Silence before a sound that begins late; without what comes before the first picture."""
    if start <= 0:
        return samples[-start:]
    if start > _MOST:
        return samples[:0]
    return np.concatenate([np.zeros(start, np.int16), samples])


def _too_long() -> NoSound:
    return NoSound(reason=f"the sound lasts longer than {LONGEST:g} s")
