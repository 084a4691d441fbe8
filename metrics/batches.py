"""Encoding streams of frames in batches whose borders change no result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt


class _Shaped(Protocol):
    @property
    def shape(self) -> tuple[int, ...]: ...


Item = TypeVar("Item", bound=_Shaped)
Rows = npt.NDArray[Any]
Encode = Callable[[list[Item]], Rows]


class Batches(Generic[Item]):
    """Prepared frames of any number of videos on their way through one network.

    Every video has a ticket. Where batches may not cross video borders, each ticket fills batches of its
    own, and a video's last one is as short as it comes out. Where they may, the tickets share one batch
    that runs when it is full, whoever filled it; one that is forced to run early is filled up with
    copies of its first frame. Batches then have one constant size, and a frame's row in a batch of constant
    size depends neither on its place nor on its neighbours, so that no result depends on which videos meet.

    Frames of different shapes never share a batch. At most one batch of frames waits.
    """

    def __init__(
        self, encode: Encode[Item], size: int | Callable[[Item], int], *, crossing: bool = False
    ) -> None:
        """Prepare to encode.

        Args:
            encode: n items of one shape to n rows.
            size: items per batch, or how many for items of such a shape; at least 1.
            crossing: whether batches may hold frames of several videos.
        """
        self._encode = encode
        self._size = _sizing(size)
        self._shared = _Queue(encode, self._size, constant=True) if crossing else None

    def ticket(self) -> Ticket[Item]:
        """Begin one video."""
        return Ticket(self._shared or _Queue(self._encode, self._size, constant=False))


class Ticket(Generic[Item]):
    """One video's part of the batches.

    Batch borders depend on the order of arrival alone, not on how the caller groups frames.
    """

    def __init__(self, queue: _Queue[Item]) -> None:
        self._queue = queue
        self._indices: list[int] = []
        self._rows: list[Rows] = []
        self._encoded = 0
        self._error: Exception | None = None

    def add(self, index: int, item: Item) -> None:
        """Take the next prepared frame, to be kept until it is encoded.

        Raises:
            Exception: what the network raised on frames of this video; never on those of another.
        """
        self._refuse()
        self._indices.append(index)
        self._queue.put(self, item)
        self._refuse()

    def finish(self) -> tuple[tuple[int, ...], Rows]:
        """Frame indices and their features: (n,) and (n, d); (0, 0) where no frame came.

        Raises:
            Exception: likewise.
        """
        if self._error is None and self._encoded < len(self._indices):
            self._queue.run()
        self._refuse()
        rows = np.concatenate(self._rows) if self._rows else np.empty((0, 0), dtype=np.float32)
        return tuple(self._indices), rows

    def take(self, rows: Rows) -> None:
        """For the queue: the rows of the next frames."""
        self._rows.append(rows)
        self._encoded += len(rows)

    def fail(self, error: Exception) -> None:
        """For the queue: the network cannot encode the next frames."""
        self._error = error

    def _refuse(self) -> None:
        if self._error is not None:
            raise self._error


class _Queue(Generic[Item]):
    """The frames that wait for a batch."""

    def __init__(self, encode: Encode[Item], size: Callable[[Item], int], *, constant: bool) -> None:
        self._encode = encode
        self._size = size
        self._constant = constant
        self._waiting: list[tuple[Ticket[Item], Item]] = []

    def put(self, ticket: Ticket[Item], item: Item) -> None:
        if self._waiting and self._waiting[0][1].shape != item.shape:
            self.run()
        self._waiting.append((ticket, item))
        if len(self._waiting) >= self._size(item):
            self.run()

    def run(self) -> None:
        """Encode what waits. Where that fails, every video is tried alone."""
        batch, self._waiting = self._waiting, []
        tickets = list(dict.fromkeys(ticket for ticket, _ in batch))
        try:
            rows = self._rows([item for _, item in batch])
        except Exception as error:
            if len(tickets) == 1:
                tickets[0].fail(error)
                return
            for ticket in tickets:
                self._waiting = [entry for entry in batch if entry[0] is ticket]
                self.run()
            return
        for ticket in tickets:
            ticket.take(rows[[place for place, (owner, _) in enumerate(batch) if owner is ticket]])

    def _rows(self, items: list[Item]) -> Rows:
        missing = self._size(items[0]) - len(items) if self._constant else 0
        rows = self._encode(items + items[:1] * missing)
        return rows[: len(items)]


def _sizing(size: int | Callable[[Item], int]) -> Callable[[Item], int]:
    if not isinstance(size, int):
        return size
    if size < 1:
        raise ValueError("a batch holds at least one frame")
    return lambda _: size


class FixedBatches(Ticket[Item]):
    """The batches of a single video."""

    def __init__(self, encode: Encode[Item], size: int) -> None:
        super().__init__(_Queue(encode, _sizing(size), constant=False))
