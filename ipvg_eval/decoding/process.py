"""Decoding a video in a limited process."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from io import FileIO
from pathlib import Path

import numpy as np

from ipvg_eval.core.measurement import ClipInfo
from ipvg_eval.core.sound import LONGEST, RATE, NoSound, Sound
from ipvg_eval.decoding.messages import (
    BATCH_BYTES,
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
    Room,
    Silent,
)
from ipvg_eval.decoding.shared_memory import FrameMemory, Slot
from ipvg_eval.errors import VideoError
from ipvg_eval.sandbox import LimitedProcess, ProcessLimits
from ipvg_eval.video import Batch as FrameBatch

_SOUND_BYTES = 2 * int(LONGEST * RATE)


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

    def listen(self, path: Path) -> Sound | NoSound:
        """The sound of a file without pictures. The video that was opened before must be opened again.

        Raises:
            VideoError: it cannot be opened, or the process failed on it.
        """
        return self._sound(lambda request: self.ask_about(path, request))

    def listen_to_open_video(self) -> Sound | NoSound:
        """For `OpenVideo`: the sound of the video opened last."""
        return self._sound(self.ask)

    def _sound(self, ask: Callable[[Listen], None]) -> Sound | NoSound:
        slot = self.memory.slot(_SOUND_BYTES)
        try:
            ask(Listen(offset=slot.offset, size=slot.size))
            answer = self.answer()
            if isinstance(answer, Silent):
                return NoSound(reason=answer.reason)
            if not isinstance(answer, HeardSound) or 2 * answer.count > _SOUND_BYTES:
                raise self.refuse("an answer out of turn")
            # A copy: a slot has room for the longest sound, and this one is kept for long.
            samples = slot.copy(2 * answer.count).view(np.int16)
        finally:
            slot.give_back()
        return Sound(
            samples=samples,
            start=answer.start,
            channels=answer.channels,
            codec=answer.codec,
            note=answer.note,
        )


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

    def listen(self) -> Sound | NoSound:
        """Its sound, on the clock of its pictures. Only for the video opened last, before its batches.

        Raises:
            VideoError: the process failed on it.
        """
        return self._process.listen_to_open_video()

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
