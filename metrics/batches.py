"""Encoding a stream of frames in batches that do not depend on how the stream was cut."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

Item = TypeVar("Item")
Rows = npt.NDArray[np.float32]


class FixedBatches(Generic[Item]):
    """Collects preprocessed frames in arrival order and encodes every `size` of them.

    Where a batch begins depends on the order of arrival alone, so the results are the same for any
    way the caller groups the frames. At most `size` preprocessed frames are held.
    """

    def __init__(self, encode: Callable[[list[Item]], Rows], size: int) -> None:
        if size < 1:
            raise ValueError("a batch holds at least one frame")
        self._encode = encode
        self._size = size
        self._waiting: list[Item] = []
        self._indices: list[int] = []
        self._rows: list[Rows] = []

    def add(self, index: int, item: Item) -> None:
        """Take the next preprocessed frame."""
        self._indices.append(index)
        self._waiting.append(item)
        if len(self._waiting) == self._size:
            self._flush()

    def finish(self) -> tuple[tuple[int, ...], Rows]:
        """Frame indices and their features: (n,) and (n, d) float32; (0, 0) where no frame came."""
        if self._waiting:
            self._flush()
        rows = np.concatenate(self._rows) if self._rows else np.empty((0, 0), dtype=np.float32)
        return tuple(self._indices), rows

    def _flush(self) -> None:
        self._rows.append(self._encode(self._waiting))
        self._waiting = []
