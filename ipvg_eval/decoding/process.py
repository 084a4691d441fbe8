"""Decoding a video in a limited process."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path

from ipvg_eval.core.measurement import ClipInfo
from ipvg_eval.decoding.messages import (
    BATCH_BYTES,
    Answer,
    Batch,
    Decode,
    End,
    Fill,
    Memory,
    Open,
    Opened,
    Room,
)
from ipvg_eval.decoding.shared_memory import FrameMemory, Slot
from ipvg_eval.errors import VideoError
from ipvg_eval.sandbox import LimitedProcess, ProcessLimits
from ipvg_eval.video import Batch as FrameBatch


class DecoderProcess(LimitedProcess[Answer]):
    """Opens and decodes videos, one after the other, in a process with limits.

    Frames come through memory that both share. A process that was taken over could change frames that it has
    handed over, and answer what it likes; see `ipvg_eval.sandbox.confine` for what is out of its reach.
    """

    def __init__(self, limits: ProcessLimits | None = None) -> None:
        self.memory = FrameMemory()
        weakref.finalize(self, self.memory.close)
        descriptor = self.memory.descriptor
        settings = Memory(descriptor=descriptor)
        super().__init__("ipvg_eval.decoding.worker", Answer, limits, settings, inherited=(descriptor,))

    @property
    def largest_frame(self) -> int:
        """Bytes of the largest picture."""
        return self.limits.max_pixels * 3

    def open(self, video: Path | FileIO) -> OpenVideo:
        """Look at a video: a path, or a plain file that is open, which nobody else may read meanwhile.

        Raises:
            VideoError: it cannot be opened, or the process failed on it.
        """
        if isinstance(video, Path):
            self.ask_about(video, Open())
        else:
            self.ask(Open(), video)
        answer = self.answer()
        if not isinstance(answer, Opened):
            raise self.refuse("an answer out of turn")
        return OpenVideo(self, answer)


class OpenVideo:
    """A video that a decoder process has opened.

    Attributes:
        clip: what evaluators are told.
        codec: FFmpeg's name of its codec.
        damage: why part of it did not decode, or None; complete once the batches are exhausted.
        note: what a reader must know about its frames, or None; likewise.
    """

    def __init__(self, process: DecoderProcess, opened: Opened) -> None:
        self._process = process
        self.clip: ClipInfo = opened.clip
        self.codec = opened.codec
        self.damage: str | None = None
        self.note: str | None = None

    def batches(self, indices: Sequence[int]) -> Iterator[FrameBatch]:
        """Decode these frames; see `ipvg_eval.video.decode`. Only for the video opened last.

        The next batch is being decoded while the caller works on one.

        Raises:
            VideoError: no wanted frame decodes, or the process failed.
        """
        process, wanted = self._process, sorted(set(indices))
        process.ask(Decode(indices=tuple(wanted)))
        patience = process.patience()
        size = max(BATCH_BYTES, min(self.clip.width * self.clip.height * 3, process.largest_frame))
        slot = self._ask_for_more(size)
        unread = True
        try:
            last = -1
            while not isinstance(answer := process.answer(patience), End):
                if isinstance(answer, Room):
                    slot = self._with_more_room(slot, answer.size)
                    continue
                batch = self._frames(answer, wanted, last, slot)
                last = batch.indices[-1]
                slot = self._ask_for_more(slot.size)
                yield batch
            unread = False
        except VideoError:
            unread = False
            raise
        finally:
            if unread:
                process.close()  # nobody reads the frames that are still to come
            slot.give_back()
        self.damage, self.note = answer.damage, answer.note

    def _ask_for_more(self, size: int) -> Slot:
        slot = self._process.memory.slot(size)
        try:
            self._process.ask(Fill(offset=slot.offset, size=slot.size))
        except VideoError:
            slot.give_back()
            raise
        return slot

    def _with_more_room(self, slot: Slot, size: int) -> Slot:
        if not slot.size < size <= max(BATCH_BYTES, self._process.largest_frame):
            raise self._process.refuse("frames that are too large")
        slot.give_back()
        return self._ask_for_more(size)

    def _frames(self, answer: Answer, wanted: Sequence[int], last: int, slot: Slot) -> FrameBatch:
        process, times = self._process, self.clip.times
        if not isinstance(answer, Batch) or answer.indices[0] <= last:
            raise process.refuse("an answer out of turn")
        if answer.indices[-1] >= len(times) or not set(answer.indices) <= set(wanted):
            raise process.refuse("frames that nobody asked for")
        if answer.size > slot.size:
            raise process.refuse("frames that are too large")
        return FrameBatch(
            indices=answer.indices,
            times=tuple(times[i] for i in answer.indices),
            frames=slot.array((len(answer.indices), answer.height, answer.width, 3)),
        )
