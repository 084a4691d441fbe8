"""Memory that a decoder process writes frames into and this process reads them from, without a copy."""

from __future__ import annotations

import mmap
import os
import tempfile
import weakref
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

_SEALS = ("F_SEAL_SHRINK", "F_SEAL_SEAL")


class FrameMemory:
    """Slots of memory behind one file descriptor that a child process inherits.

    A slot is free again when nobody holds an array in it any more, so frames may be kept as long as they
    are wanted; whoever keeps many makes the memory grow. The child cannot shrink it. Not for several
    threads at once, except that arrays may be dropped anywhere.
    """

    def __init__(self) -> None:
        self.descriptor = _anonymous_file()
        self._end = 0
        self._free: list[Slot] = []

    def slot(self, size: int) -> Slot:
        """A slot of at least `size` bytes that nobody uses."""
        # The child maps a whole slot, so one of a much larger video would take its memory.
        while self._free:
            slot = self._free.pop()
            if size <= slot.size <= 2 * size:
                return slot
            slot.empty()
        size = -(-size // mmap.ALLOCATIONGRANULARITY) * mmap.ALLOCATIONGRANULARITY
        offset, self._end = self._end, self._end + size
        os.ftruncate(self.descriptor, self._end)
        return Slot(self.descriptor, offset, size, self._free.append)

    def close(self) -> None:
        """Close the descriptor; frames that are still held stay readable."""
        self._free.clear()
        os.close(self.descriptor)


class Slot:
    """A piece of the memory.

    Attributes:
        offset: where it begins.
        size: its bytes.
    """

    def __init__(self, descriptor: int, offset: int, size: int, release: Callable[[Slot], object]) -> None:
        self.offset = offset
        self.size = size
        self._release = release
        self._map = mmap.mmap(descriptor, size, offset=offset)

    def array(self, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
        """The slot's first bytes as an array; the slot is free once no view of it is left."""
        root = np.frombuffer(self._map, dtype=np.uint8, count=int(np.prod(shape)))
        # Every view keeps this first array alive.
        weakref.finalize(root, self._release, self).atexit = False
        return root.reshape(shape)

    def copy(self, count: int) -> npt.NDArray[np.uint8]:
        """A copy of its first bytes."""
        return np.frombuffer(self._map, dtype=np.uint8, count=count).copy()

    def empty(self) -> None:
        """Give its pages back to the machine; it must not be used any more."""
        if hasattr(mmap, "MADV_REMOVE"):
            self._map.madvise(mmap.MADV_REMOVE)
        self._map.close()

    def give_back(self) -> None:
        """Free it without having used it."""
        self._release(self)


def _anonymous_file() -> int:
    if not hasattr(os, "memfd_create"):  # not on Linux: a file without a name, which is mapped all the same
        with tempfile.TemporaryFile() as file:
            return os.dup(file.fileno())
    import fcntl

    descriptor = os.memfd_create("frames", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    seals = 0
    for name in _SEALS:
        seals |= getattr(fcntl, name)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return descriptor
