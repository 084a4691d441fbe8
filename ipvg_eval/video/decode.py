"""The wanted frames of a video, as RGB pixels, in one sequential pass."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import av
import numpy as np

from ipvg_eval.core.measurement import ClipInfo, Frames
from ipvg_eval.errors import VideoError
from ipvg_eval.video.container import EXPORT_AGAIN, Source, name_of
from ipvg_eval.video.damage import DamageLog
from ipvg_eval.video.index import FrameIndex
from ipvg_eval.video.picture import Picture
from ipvg_eval.video.sequence import sound_frames

BATCH_SIZE = 16
BATCH_BYTES = 128 * 2**20


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Some of the wanted frames.

    Attributes:
        indices: ascending frame indices.
        times: presentation times in seconds from the first frame of the video.
        frames: (n, height, width, 3) RGB uint8, contiguous, upright; the receiver's to keep.
    """

    indices: tuple[int, ...]
    times: tuple[float, ...]
    frames: Frames


class Decoding:
    """The batches of one video: iterate once. Also a context manager that closes the file."""

    def __init__(
        self,
        source: Source,
        wanted: tuple[int, ...],
        index: FrameIndex,
        frames_per_batch: int,
        time_limit: float,
    ) -> None:
        self._source = source
        self._wanted = wanted
        self._index = index
        self._frames_per_batch = frames_per_batch
        self._log = DamageLog(index)
        self._picture = Picture(index.header.sample_aspect_ratio)
        self._came: set[int] = set()
        self._batches = self._decode(time_limit)

    def __iter__(self) -> Iterator[Batch]:
        return self._batches

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop and close the file; harmless at any time."""
        self._batches.close()

    @property
    def damage(self) -> str | None:
        """Why part of the video did not decode, or None; complete once the batches are exhausted.

        Only what lies up to the last wanted frame has been looked at.
        """
        return self._log.summary

    @property
    def missing(self) -> tuple[int, ...]:
        """Wanted indices that did not come, ascending; complete once the batches are exhausted."""
        return tuple(i for i in self._wanted if i not in self._came)

    @property
    def note(self) -> str | None:
        """What a reader must know about frames that did come (a change of size), or None."""
        return self._picture.note

    def _decode(self, time_limit: float) -> Generator[Batch, None, None]:
        indices: list[int] = []
        buffer: Frames | None = None
        frames = sound_frames(
            self._source, self._index, frozenset(self._wanted), self._log, time_limit=time_limit
        )
        with closing(frames):
            for i, frame in frames:
                pixels = self._convert(frame)
                if pixels is None:
                    continue
                if buffer is None:
                    buffer = np.empty((self._frames_per_batch, *pixels.shape), np.uint8)
                buffer[len(indices)] = pixels
                indices.append(i)
                if len(indices) == len(buffer):
                    yield self._batch(indices, buffer)
                    indices, buffer = [], None
        if buffer is not None:
            yield self._batch(indices, buffer)
        if self._wanted and not self._came:
            reason = self.damage or "nothing comes out"
            raise VideoError(
                f"none of the wanted frames decodes: {reason}", path=name_of(self._source), hint=EXPORT_AGAIN
            )

    def _convert(self, frame: Any) -> Frames | None:
        try:
            return self._picture.upright_rgb(frame)
        except av.FFmpegError as error:
            self._log.remark(f"frames cannot be converted to RGB ({error.strerror})")
            return None

    def _batch(self, indices: list[int], buffer: Frames) -> Batch:
        self._came.update(indices)
        times = self._index.clip.times
        return Batch(
            indices=tuple(indices), times=tuple(times[i] for i in indices), frames=buffer[: len(indices)]
        )


def decoder_version(*, sound: bool = False) -> str:
    """The libraries that turn a file into pixels, and into sound where that is heard, for a run's record."""
    parts = {name: ".".join(map(str, version)) for name, version in av.library_versions.items()}
    used = ("libavformat", "libavcodec", "libswscale", *(("libswresample",) if sound else ()))
    return ", ".join([f"PyAV {av.__version__}", *(f"{name} {parts[name]}" for name in used)])


def decode(
    source: Source,
    indices: Iterable[int],
    *,
    index: FrameIndex,
    batch_size: int = BATCH_SIZE,
    batch_bytes: int = BATCH_BYTES,
    time_limit: float = 120.0,
) -> Decoding:
    """Decode the frames with the given indices, in batches, and stop after the last of them.

    YUV becomes RGB with the stream's own matrix and range; where the stream names none, BT.601 and limited
    range, as FFmpeg's command line and OpenCV have it. 10-bit video is rounded to 8 bits by swscale.
    Rotation and mirroring by the display matrix are applied, the sample aspect ratio is not. Frames after
    a change of size in mid-stream are scaled (bicubic) to the size of the first.

    Frames that are damaged, and those that may be predicted from a damaged one, are left out; see
    `Decoding.damage` and `Decoding.missing`. Damage that a decoder does not notice stays unnoticed: a
    flipped bit may turn into other valid data.

    Args:
        source: the video, a path or a seekable binary file object, which stays open.
        indices: wanted frame indices; order and repeats do not matter.
        index: of the same file.
        batch_size: most frames in a batch.
        batch_bytes: most bytes in a batch; one frame always fits.
        time_limit: seconds of reading and decoding, the receiver's work not counted.

    Raises:
        ValueError: an index is outside the video, or a limit is not positive.
        VideoError: while iterating: the file cannot be opened, no wanted frame decodes, or the time is over.
    """
    wanted = tuple(sorted(set(indices)))
    count = index.clip.frame_count
    if wanted and not 0 <= wanted[0] <= wanted[-1] < count:
        raise ValueError(f"frame indices {wanted[0]} to {wanted[-1]} in a video of {count} frames")
    per_batch = frames_per_batch(index.clip, len(wanted), batch_size=batch_size, batch_bytes=batch_bytes)
    return Decoding(source, wanted, index, per_batch, time_limit)


def frames_per_batch(
    clip: ClipInfo, wanted: int, *, batch_size: int = BATCH_SIZE, batch_bytes: int = BATCH_BYTES
) -> int:
    """How many of the wanted frames come at a time.

    Raises:
        ValueError: a limit is not positive.
    """
    if batch_size < 1 or batch_bytes < 1:
        raise ValueError("batch_size and batch_bytes must be positive")
    frame_bytes = max(1, clip.width * clip.height * 3)
    return max(1, min(batch_size, batch_bytes // frame_bytes, wanted))
