"""Preparing pieces of work in threads, ahead of whoever finishes them in order."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Generic, TypeVar

_ITEMS_WAITING = 2

Work = TypeVar("Work")
Item = TypeVar("Item")
Tool = TypeVar("Tool")


class Channel(Generic[Item]):
    """What one thread hands to the reader; a full channel makes the thread wait.

    An exception on the thread's side is raised on the reader's.
    """

    def __init__(self, everything_stopped: threading.Event) -> None:
        self._items: queue.Queue[Item | _Failure] = queue.Queue(_ITEMS_WAITING)
        self._everything_stopped = everything_stopped
        self._abandoned = False

    def put(self, item: Item | _Failure) -> None:
        """Hand an item over.

        Raises:
            Abandoned: the reader wants no more.
        """
        while not (self._abandoned or self._everything_stopped.is_set()):
            try:
                self._items.put(item, timeout=0.1)
            except queue.Full:
                continue
            return
        raise Abandoned

    def get(self) -> Item:
        """The next item, or the thread's exception."""
        item = self._items.get()
        if isinstance(item, _Failure):
            raise item.error
        return item

    def abandon(self) -> None:
        """Want no more of it."""
        self._abandoned = True


class Abandoned(Exception):
    """The reader wants no more."""


class _Failure:
    def __init__(self, error: BaseException) -> None:
        self.error = error


def prefetch(
    works: Iterable[Work],
    produce: Callable[[Work, Channel[Item], Tool], None],
    tools: Sequence[Tool],
    *,
    cancel: Callable[[Tool], None],
) -> Generator[tuple[Work, Channel[Item]], None, None]:
    """Every piece of work in order, each with the channel its items come through.

    One thread per tool works ahead of the reader; at most len(tools) + 1 channels hold items at a time.

    Args:
        works: what is to be done.
        produce: puts the items of a piece of work into its channel, with a tool that is its own meanwhile.
        tools: what the threads work with.
        cancel: makes a tool that is at work give up; called for each when the reader stops early.
    """
    stopped = threading.Event()
    idle: queue.SimpleQueue[Tool] = queue.SimpleQueue()
    for tool in tools:
        idle.put(tool)

    def run(work: Work, channel: Channel[Item]) -> None:
        tool = idle.get()
        try:
            produce(work, channel, tool)
        except Abandoned:
            return
        except BaseException as error:
            _fail(channel, error)
        finally:
            idle.put(tool)

    pool = ThreadPoolExecutor(len(tools), thread_name_prefix="prefetch")
    left = iter(works)
    waiting: deque[tuple[Work, Channel[Item]]] = deque()

    def submit(count: int) -> None:
        for work in islice(left, count):
            channel: Channel[Item] = Channel(stopped)
            waiting.append((work, channel))
            pool.submit(run, work, channel)

    try:
        submit(len(tools) + 1)
        while waiting:
            work, channel = waiting.popleft()
            yield work, channel
            channel.abandon()
            submit(1)
    finally:
        stopped.set()
        if waiting:
            for tool in tools:
                cancel(tool)
        pool.shutdown(cancel_futures=True)


def _fail(channel: Channel[Item], error: BaseException) -> None:
    try:
        channel.put(_Failure(error))
    except Abandoned:
        return
