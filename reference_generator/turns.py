"""Samples in turn, or several at the same time where a system can."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from functools import partial
from typing import TypeVar

from ipvg_eval.reference_generator.task import System

Item = TypeVar("Item")


def in_turn(
    items: Sequence[Item], work: Callable[[Item], None], system: System | None, stop: threading.Event
) -> Generator[tuple[Item, Callable[[], None]], None, None]:
    """Each item with a function that ends when its work is done and raises what went wrong.

    One after the other, the function does the work itself. With a system of some concurrency, threads do it,
    and items come as they are done; the system is stopped before the threads are waited for, so that whoever
    stops early does not wait for all of them. Nothing is begun after `stop` is set.
    """
    if system is None or system.concurrency < 2:
        for item in items:
            if stop.is_set():
                return
            yield item, partial(work, item)
        return
    with ThreadPoolExecutor(system.concurrency) as pool:
        jobs: dict[Future[None], Item] = {pool.submit(work, item): item for item in items}
        try:
            for job in as_completed(jobs):
                yield jobs[job], job.result
                if stop.is_set():
                    break
            else:
                return
            system.stop()
            pool.shutdown(wait=False, cancel_futures=True)
        except BaseException:
            system.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
