"""How the time of a function grows with its input, whatever the machine."""

from __future__ import annotations

import time
from collections.abc import Callable


def growth(work: Callable[[int], object], small: int, large: int, *, tries: int = 3) -> float:
    """Time of `work(large)` over time of `work(small)`, each the least of several tries.

    Processor time of this process: other programs can only add to it, so the least is the truest.
    """

    def seconds(size: int) -> float:
        started = time.process_time()
        work(size)
        return time.process_time() - started

    work(small)
    least = {size: min(seconds(size) for _ in range(tries)) for size in (small, large)}
    return least[large] / max(least[small], 1e-4)
