"""Where the time goes: a stopwatch that the stages of the work report to, where one is running."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

Kind = Literal["wait", "detect", "network", "measure", "write", "rest"]

_RUNNING: ContextVar[Stopwatch | None] = ContextVar("stopwatch", default=None)


@dataclass(frozen=True, kw_only=True, order=True)
class Stage:
    """One kind of work.

    Attributes:
        kind: what sort of work.
        name: which, where there are several: the network's declared weight.
    """

    kind: Kind
    name: str = ""


REST = Stage(kind="rest")


@dataclass(kw_only=True)
class Spent:
    """What a stage took: seconds of wall time and how often it was entered."""

    seconds: float = 0.0
    calls: int = 0


class Stopwatch:
    """Splits the wall time of one thread into stages, without gap or overlap.

    Only the innermost stage's clock runs: what a stage calls is not counted twice, and the stages add
    up to the whole. Work of other threads goes on beside it and is kept apart.

    Attributes:
        spent: by stage.
        beside: likewise, of other threads, by what they did.
    """

    def __init__(self, device: str = "cpu") -> None:
        """A stopwatch that stands still.

        Args:
            device: where the networks run. On a GPU the ends of every stage wait until the device has done
                what it was given, which costs time: such a run is slower than others.
        """
        self.spent: dict[Stage, Spent] = {}
        self.beside: dict[str, Spent] = {}
        self._device = device
        self._stages: list[Stage] = []
        self._since = 0.0
        self._lock = threading.Lock()

    @property
    def total(self) -> float:
        """Seconds of all stages together."""
        return sum(spent.seconds for spent in self.spent.values())

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time within as `REST`, but for the stages in it."""
        token = _RUNNING.set(self)
        self._since = time.perf_counter()
        try:
            with self.stage(REST):
                yield
        finally:
            _RUNNING.reset(token)

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[None]:
        """Count the time within for a stage."""
        self._turn()
        self._stages.append(stage)
        self.spent.setdefault(stage, Spent()).calls += 1
        try:
            yield
        finally:
            self._turn()
            self._stages.pop()

    def add_beside(self, what: str, seconds: float) -> None:
        """Count work of another thread; from any thread."""
        with self._lock:
            spent = self.beside.setdefault(what, Spent())
            spent.seconds += seconds
            spent.calls += 1

    def _turn(self) -> None:
        """Charge the time since the last turn to the innermost stage."""
        if self._device.startswith("cuda"):
            import torch

            torch.cuda.synchronize(self._device)
        now = time.perf_counter()
        if self._stages:
            self.spent[self._stages[-1]].seconds += now - self._since
        self._since = now


def running() -> Stopwatch | None:
    """The stopwatch that runs in this thread, if any."""
    return _RUNNING.get()


@contextmanager
def stage(kind: Kind, name: str = "") -> Iterator[None]:
    """Count the time within for a stage; nothing where no stopwatch runs."""
    stopwatch = _RUNNING.get()
    if stopwatch is None:
        yield
    else:
        with stopwatch.stage(Stage(kind=kind, name=name)):
            yield


@contextmanager
def beside(stopwatch: Stopwatch | None, what: str) -> Iterator[None]:
    """Count the time within as work of another thread; nothing where there is no stopwatch."""
    started = time.perf_counter()
    try:
        yield
    finally:
        if stopwatch is not None:
            stopwatch.add_beside(what, time.perf_counter() - started)
