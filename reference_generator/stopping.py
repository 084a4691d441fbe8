"""A Ctrl-C that finishes the video at hand; a second one stops at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_on_interrupt(say: Callable[[], object]) -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets. In another thread than the main one, nothing is changed.

    Args:
        say: called at the first Ctrl-C.
    """
    wanted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield wanted
        return

    def interrupted(_number: int, _frame: FrameType | None) -> None:
        if wanted.is_set():
            raise KeyboardInterrupt
        wanted.set()
        say()

    before = signal.signal(signal.SIGINT, interrupted)
    try:
        yield wanted
    finally:
        signal.signal(signal.SIGINT, before)
