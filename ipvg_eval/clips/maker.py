"""Making clips, seen from the parent."""

from __future__ import annotations

import errno
import os
import queue
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from ipvg_eval.clips.messages import CLIP, SOURCE, Folder, Made, Make
from ipvg_eval.errors import VideoError
from ipvg_eval.leaderboard.study.errors import StudyError
from ipvg_eval.sandbox import LimitedProcess, ProcessLimits, open_file

_LIMITS = ProcessLimits(seconds=600)  # a clip that a browser cannot play is encoded anew


class ClipMaker:
    """Makes clips in a few limited processes; may be called from several threads.

    Attributes:
        processes: how many clips are made at a time.
    """

    def __init__(self, processes: int | None = None, *, require_confinement: bool = False) -> None:
        self.processes = processes or os.cpu_count() or 1
        self._limits = _LIMITS.model_copy(update={"require_confinement": require_confinement})
        self._idle: queue.SimpleQueue[_ClipProcess] = queue.SimpleQueue()
        self._open = ExitStack()

    def __enter__(self) -> Self:
        for _ in range(self.processes):
            self._idle.put(self._open.enter_context(_ClipProcess(self._limits)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def __call__(self, source: Path, target: Path, forbidden: Sequence[str]) -> float:
        """Make a clip; see `ipvg_eval.leaderboard.study.clips.anonymous_clip`.

        Raises:
            StudyError: no picture can be decoded, or the process failed on the video.
            OSError: the disk is full.
        """
        process = self._idle.get()
        try:
            return process.make(source, target, forbidden)
        finally:
            self._idle.put(process)


class _ClipProcess(LimitedProcess[Made]):
    """Reaches one folder, into which a video is copied and from which its clip is taken."""

    def __init__(self, limits: ProcessLimits) -> None:
        # A private name, and nobody else's folder: the one thing that the process may change.
        self._scratch = tempfile.TemporaryDirectory(prefix="ipvg-clip-")
        self._folder = Path(self._scratch.name).resolve()
        super().__init__("ipvg_eval.clips.worker", Made, limits, Folder(path=self._folder))

    def close(self) -> None:
        super().close()
        if self._folder.exists():
            self._empty()

    def __exit__(self, *_: object) -> None:
        self.close()
        self._scratch.cleanup()

    def make(self, source: Path, target: Path, forbidden: Sequence[str]) -> float:
        try:
            with open_file(source) as file, (self._folder / SOURCE).open("wb") as copy:
                shutil.copyfileobj(file, copy, 1 << 20)
            self.ask(Make(forbidden=tuple(forbidden)))
            made = self.answer()
            if made.seconds is None:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            with open_file(self._folder / CLIP) as clip, target.open("wb") as file:
                shutil.copyfileobj(clip, file, 1 << 20)
        except VideoError as error:
            raise StudyError(error.message) from error
        finally:
            self._empty()
        return made.seconds

    def _empty(self) -> None:
        for path in self._folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
