"""Progress of downloads on a terminal's stderr; plain files and pipes get none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars

from ipvg_eval.metrics.weights.progress import Advanced, Progress, Silent


@contextmanager
def pull_progress(console: Console) -> Iterator[Progress]:
    """Bars for the transfers while the context is open, where the console is a terminal."""
    if not console.is_terminal:
        yield Silent()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    bars = Bars(*columns, TimeRemainingColumn(), console=console, transient=True)
    try:
        yield _Bars(bars, console)
    finally:
        bars.stop()


class _Bars:
    def __init__(self, bars: Bars, console: Console) -> None:
        self._bars = bars
        self._console = console

    def waiting(self, what: str) -> None:
        self._console.print(f"Another process is fetching {what}; waiting for it.", highlight=False)

    def started(self, what: str, done: int, total: int | None) -> Advanced:
        self._bars.start()
        task = self._bars.add_task(what, completed=done, total=total)

        def advanced(count: int) -> None:
            self._bars.advance(task, count)
            if self._bars.tasks[task].finished:
                self._bars.update(task, visible=False)

        return advanced
