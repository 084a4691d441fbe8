"""Making clips, seen from the parent."""

from __future__ import annotations

import errno
import os
import queue
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

from ipvg_eval.clips.messages import CLIP, SOURCE, Encode, Folder, Look, Made, Pad, Seen
from ipvg_eval.errors import VideoError
from ipvg_eval.leaderboard.study.clips import Facts, Shape
from ipvg_eval.leaderboard.study.errors import StudyError
from ipvg_eval.sandbox import LimitedProcess, ProcessLimits, open_file

_LIMITS = ProcessLimits(seconds=600)  # encoding takes longer than decoding


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

    def look(self, source: Path) -> Facts:
        """See `ipvg_eval.leaderboard.study.clips.look`.

        Raises:
            StudyError: no picture can be decoded, or the process failed on the video.
        """
        seen = self._ask(Look(), source, None)
        if not isinstance(seen, Seen):
            raise StudyError("the process that makes clips gave an answer out of turn")
        return Facts(**seen.model_dump(exclude={"kind"}))

    def encode(self, source: Path, target: Path, shape: Shape, spoil: int | None = None) -> list[int]:
        """See `ipvg_eval.leaderboard.study.clips.encode`.

        Raises:
            StudyError: no picture can be decoded, or the process failed on the video.
            OSError: the disk is full.
        """
        sizes = self._make(Encode(spoil=spoil, **asdict(shape)), source, target)
        if len(sizes) != shape.count:
            raise StudyError(f"{len(sizes)} pictures were encoded instead of {shape.count}")
        return list(sizes)

    def pad(self, source: Path, target: Path, sizes: Sequence[int]) -> None:
        """See `ipvg_eval.leaderboard.study.clips.pad`.

        Raises:
            StudyError: the process failed.
            OSError: the disk is full.
        """
        self._make(Pad(sizes=tuple(sizes)), source, target)

    def _make(self, request: Encode | Pad, source: Path, target: Path) -> tuple[int, ...]:
        made = self._ask(request, source, target)
        if not isinstance(made, Made) or made.sizes is None:
            raise StudyError("the process that makes clips gave an answer out of turn")
        return made.sizes

    def _ask(self, request: Look | Encode | Pad, source: Path, target: Path | None) -> Seen | Made:
        process = self._idle.get()
        try:
            return process.done(request, source, target)
        finally:
            self._idle.put(process)


class _ClipProcess(LimitedProcess[Seen | Made]):
    """Reaches one folder, into which a video is copied and from which its clip is taken."""

    def __init__(self, limits: ProcessLimits) -> None:
        # A private name, and nobody else's folder: the one thing that the process may change.
        self._scratch = tempfile.TemporaryDirectory(prefix="ipvg-clip-")
        self._folder = Path(self._scratch.name).resolve()
        super().__init__("ipvg_eval.clips.worker", Seen | Made, limits, Folder(path=self._folder))

    def close(self) -> None:
        super().close()
        if self._folder.exists():
            self._empty()

    def __exit__(self, *_: object) -> None:
        self.close()
        self._scratch.cleanup()

    def done(self, request: Look | Encode | Pad, source: Path, target: Path | None) -> Seen | Made:
        try:
            with open_file(source) as file, (self._folder / SOURCE).open("wb") as copy:
                shutil.copyfileobj(file, copy, 1 << 20)
            self.ask(request)
            answer = self.answer()
            if isinstance(answer, Made) and answer.sizes is None:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if target is not None:
                with open_file(self._folder / CLIP) as clip, target.open("wb") as file:
                    shutil.copyfileobj(clip, file, 1 << 20)
        except VideoError as error:
            raise StudyError(error.message) from error
        finally:
            self._empty()
        return answer

    def _empty(self) -> None:
        for path in self._folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
