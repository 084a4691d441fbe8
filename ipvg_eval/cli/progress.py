"""Progress on stderr: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from ipvg_eval.cli.consoles import STDERR

if TYPE_CHECKING:
    from ipvg_eval.scoring.run import OnSample, SampleDone

_PATIENCE = 2.0
_LOG_EVERY = 30.0


class _Rate(ProgressColumn):
    """Samples per minute."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed * 60:.1f}/min" if speed else "", style="progress.data.speed")


@contextmanager
def delayed_progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar that appears once the work has taken two seconds.

    Yields:
        A function to call with how many are done, and of how many.
    """
    begun = time.monotonic()
    bar = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=STDERR)
    task = bar.add_task(what)

    def update(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total)
        if STDERR.is_terminal and time.monotonic() - begun > _PATIENCE:
            bar.start()

    try:
        yield update
    finally:
        if bar.live.is_started:
            bar.stop()


@contextmanager
def sample_progress(team: str) -> Iterator[OnSample]:
    """A bar with rate and time left; a plain line every half minute where stderr is no terminal.

    Yields:
        A function to call after every sample.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        TextColumn("budget {task.fields[budget]:.0%}"),
    )
    bar = Progress(*columns, console=STDERR, disable=not STDERR.is_terminal)
    task = bar.add_task(escape(team), total=None, budget=0.0)
    log = _Log(team)

    def update(sample: SampleDone) -> None:
        bar.update(task, completed=sample.done, total=sample.total, budget=sample.budget)
        if not STDERR.is_terminal:
            log.update(sample)

    with bar:
        yield update


class _Log:
    """Progress for a log file."""

    def __init__(self, team: str) -> None:
        self._team = team
        self._measured = 0
        self._begun = self._last = time.monotonic()

    def update(self, sample: SampleDone) -> None:
        self._measured += sample.measured
        now = time.monotonic()
        if now - self._last < _LOG_EVERY:
            return
        self._last = now
        rate = self._measured / (now - self._begun)
        left = f", about {(sample.total - sample.done) / rate / 60:.0f} min left" if rate else ""
        text = f"{self._team}: {sample.done} of {sample.total} samples, {rate * 60:.1f}/min{left}"
        text += f", {sample.budget:.0%} of the budget"
        STDERR.print(text, markup=False)
