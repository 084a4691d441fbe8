"""Which worker measures what, and which sample is to blame when a worker dies."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

Work = TypeVar("Work", bound=Hashable)
Worker = TypeVar("Worker", bound=Hashable)


class Dispatcher(Generic[Work, Worker]):
    """Hands out work, and again what a dead worker leaves behind.

    Whatever a worker had in hand when it died is suspected. A suspect is tried once more, alone: nothing
    else is in its worker's hands, so that no neighbour can be blamed for it or blame it. A fresh worker
    takes suspects before anything else; the others take them when nothing else is left. A worker that dies
    of a suspect proves it guilty, and that piece of work is given up.

    Args:
        works: what is to be done; no two alike.
        depth: how many pieces one worker has in hand at most.
    """

    def __init__(self, works: Iterable[Work], *, depth: int) -> None:
        self._waiting = deque(works)
        self._suspects: deque[Work] = deque()
        self._depth = depth
        self._in_hand: dict[Worker, list[Work]] = {}
        self._alone: set[Worker] = set()
        self._used: set[Worker] = set()

    @property
    def finished(self) -> bool:
        """Whether all work is done or given up."""
        return not (self._waiting or self._suspects or any(self._in_hand.values()))

    def take(self, worker: Worker) -> Work | None:
        """The next piece of work for a worker, None while there is nothing for it to begin."""
        in_hand = self._in_hand.setdefault(worker, [])
        if worker in self._alone:
            return None
        if self._suspects and not in_hand and (worker not in self._used or not self._waiting):
            self._alone.add(worker)
            in_hand.append(self._suspects.popleft())
        elif self._waiting and len(in_hand) < self._depth:
            self._used.add(worker)
            in_hand.append(self._waiting.popleft())
        else:
            return None
        return in_hand[-1]

    def done(self, worker: Worker, work: Work) -> None:
        """A worker has finished a piece of work."""
        self._in_hand[worker].remove(work)
        self._alone.discard(worker)

    def died(self, worker: Worker) -> list[Work]:
        """A worker has died; the work that is given up because of it, at most one piece."""
        in_hand = self._in_hand.pop(worker, [])
        if worker in self._alone:
            self._alone.remove(worker)
            return in_hand
        self._suspects.extend(in_hand)
        return []

    def withdrawn(self, worker: Worker) -> None:
        """A worker was taken away for reasons that have nothing to do with its work."""
        in_hand = self._in_hand.pop(worker, [])
        if worker in self._alone:
            self._alone.remove(worker)
            self._suspects.extendleft(in_hand)
        else:
            self._waiting.extendleft(reversed(in_hand))
