"""Reading pictures of strangers, those of run folders for one, in a limited process."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import Literal

from pydantic import NonNegativeInt, PositiveInt

from ipvg_eval.core.limits import ProcessLimits
from ipvg_eval.core.measurement import Frames
from ipvg_eval.decoding.messages import Memory
from ipvg_eval.decoding.shared_memory import FrameMemory
from ipvg_eval.sandbox import LimitedProcess, Message


class Read(Message):
    """Write the picture that comes with this into this piece of the shared memory."""

    offset: NonNegativeInt
    size: PositiveInt


class Pixels(Message):
    """The picture is at the beginning of the piece, height x width x 3 bytes."""

    kind: Literal["pixels"] = "pixels"
    height: PositiveInt
    width: PositiveInt


class PictureProcess(LimitedProcess[Pixels]):
    """Reads pictures, one after the other, in a process with limits."""

    def __init__(self, limits: ProcessLimits | None = None) -> None:
        self._memory = FrameMemory()
        weakref.finalize(self, self._memory.close)
        descriptor = self._memory.descriptor
        settings = Memory(descriptor=descriptor)
        worker = "ipvg_eval.decoding.picture_worker"
        super().__init__(worker, Pixels, limits, settings, inherited=(descriptor,))

    def read(self, path: Path) -> Frames:
        """(height, width, 3) uint8; see `ipvg_eval.core.pictures.read_rgb`.

        Raises:
            VideoError: it is no picture or too large a one, or the process failed on it.
        """
        slot = self._memory.slot(self.limits.max_pixels * 3)
        try:
            self.ask_about(path, Read(offset=slot.offset, size=slot.size))
            answer = self.answer()
            if answer.height * answer.width > self.limits.max_pixels:
                raise self.refuse("a picture that is too large")
        except BaseException:
            slot.give_back()
            raise
        return slot.array((answer.height, answer.width, 3))
