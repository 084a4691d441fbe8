"""The one thread of a worker in which networks run."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class NetworkThread:
    """Does in turn what other threads ask for, in two steps: begin it, and finish it.

    Where networks' batches may hold frames of several videos, several pieces of work may be begun before the
    first of them is finished, so that they fill each other's batches: as long as more is asked for already.
    """

    def __init__(self) -> None:
        self._asked: queue.SimpleQueue[tuple[Future[Any], Callable[[], Callable[[], Any]]]] = (
            queue.SimpleQueue()
        )
        self._unfinished: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self.window = 1
        threading.Thread(target=self._run, name="networks", daemon=True).start()

    def submit(self, begin: Callable[[], Callable[[], T]]) -> Future[T]:
        """Ask for a piece of work; whatever it raises is raised for whoever asked.

        Args:
            begin: the first step, which gives the second one.
        """
        future: Future[T] = Future()
        self._asked.put((future, begin))
        return future

    def call(self, action: Callable[[], T]) -> T:
        """Do one thing and wait for it."""

        def begin() -> Callable[[], T]:
            result = action()
            return lambda: result

        return self.submit(begin).result()

    def _run(self) -> None:
        while True:
            try:
                future, begin = self._asked.get(block=not self._unfinished)
            except queue.Empty:
                self._finish_oldest()
                continue
            try:
                self._unfinished.append((future, begin()))
            except BaseException as error:
                future.set_exception(error)
            if len(self._unfinished) >= self.window:
                self._finish_oldest()

    def _finish_oldest(self) -> None:
        future, finish = self._unfinished.popleft()
        try:
            future.set_result(finish())
        except BaseException as error:
            future.set_exception(error)
