"""The decoder process; it writes frames into shared memory."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from ipvg_eval.core.limits import ProcessLimits
from ipvg_eval.core.measurement import Frames
from ipvg_eval.core.sound import NoSound
from ipvg_eval.decoding.messages import (
    BATCH_BYTES,
    REQUEST,
    Answer,
    Batch,
    Decode,
    End,
    Fill,
    HeardSound,
    Listen,
    Memory,
    Open,
    Opened,
    Request,
    Room,
    Silent,
)
from ipvg_eval.sandbox.child import limits, serve, setting
from ipvg_eval.video import Batch as FrameBatch
from ipvg_eval.video import Decoding, FrameIndex, decode, decoder_version, index_frames, read_sound

Samples = npt.NDArray[np.int16]


def main() -> None:
    """Serve requests until stdin ends."""
    serve(REQUEST, _Decoder(limits(), setting(Memory)).answer, versions={"decoder": decoder_version()})


class _Decoder:
    def __init__(self, limits: ProcessLimits, memory: Memory) -> None:
        self._limits = limits
        self._memory = memory
        self._file: BinaryIO | None = None
        self._index: FrameIndex | None = None
        self._decoding: Decoding | None = None
        self._batches: Iterator[FrameBatch] = iter(())
        self._waiting: FrameBatch | None = None

    def answer(self, request: Request, file: BinaryIO | None) -> Answer | None:
        """What to answer to a request; None for nothing."""
        if isinstance(request, Fill):
            return self._fill(request)
        self._stop()
        if isinstance(request, Listen):
            return self._listen(request, file)
        if isinstance(request, Open):
            return self._open(file)
        self._begin(request)
        return None

    def _stop(self) -> None:
        if self._decoding is not None:
            self._decoding.close()
        self._decoding, self._waiting, self._batches = None, None, iter(())

    def _open(self, file: BinaryIO | None) -> Opened:
        assert file is not None
        self._file = file
        self._index = index_frames(file, time_limit=self._limits.seconds, max_pixels=self._limits.max_pixels)
        clip = self._index.clip
        return Opened(
            codec=self._index.header.codec,
            width=clip.width,
            height=clip.height,
            fps=clip.fps,
            duration=clip.duration,
            times=clip.times,
        )

    def _listen(self, piece: Listen, file: BinaryIO | None) -> HeardSound | Silent:
        seconds = self._limits.seconds
        if file is not None:
            self._file, self._index = None, None  # a file is closed with the next that comes
            sound = read_sound(file, time_limit=seconds)
        else:
            assert self._index is not None
            assert self._file is not None
            sound = read_sound(self._file, first_picture=self._index.first_time, time_limit=seconds)
        if isinstance(sound, NoSound):
            return Silent(reason=sound.reason)
        if sound.samples.nbytes > piece.size:
            raise MemoryError
        _write(sound.samples, self._memory, piece)
        return HeardSound(
            count=len(sound.samples),
            start=sound.start,
            channels=sound.channels,
            codec=sound.codec,
            note=sound.note,
        )

    def _begin(self, request: Decode) -> None:
        assert self._index is not None
        assert self._file is not None
        self._decoding = decode(
            self._file,
            request.indices,
            index=self._index,
            batch_bytes=BATCH_BYTES,
            time_limit=self._limits.seconds,
        )
        self._batches = iter(self._decoding)

    def _fill(self, piece: Fill) -> Batch | Room | End:
        assert self._decoding is not None
        batch = self._waiting or next(self._batches, None)
        if batch is None:
            return End(damage=self._decoding.damage, note=self._decoding.note)
        if batch.frames.nbytes > piece.size:
            self._waiting = batch
            return Room(size=batch.frames.nbytes)
        self._waiting = None
        _write(batch.frames, self._memory, piece)
        _, height, width, _ = batch.frames.shape
        return Batch(indices=batch.indices, height=height, width=width)


def _write(content: Frames | Samples, memory: Memory, piece: Fill | Listen) -> None:
    """Copy content into a piece, mapped for the moment only: maps count against the limit on memory."""
    try:
        mapped = mmap.mmap(memory.descriptor, piece.size, offset=piece.offset)
    except OSError as error:
        raise MemoryError from error
    with mapped:
        mapped[: content.nbytes] = content.data.cast("B")


if __name__ == "__main__":
    main()
