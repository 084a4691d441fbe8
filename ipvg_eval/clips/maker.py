"""Making clips, seen from the parent."""

from __future__ import annotations

import errno
import os
import queue
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Annotated, ClassVar, Self

from pydantic import Field, TypeAdapter, ValidationError

from ipvg_eval.clips.messages import Encode, Failed, Look, Made, Pad, Seen
from ipvg_eval.errors import VideoError
from ipvg_eval.leaderboard.study.clips import Facts, Shape
from ipvg_eval.leaderboard.study.errors import StudyError
from ipvg_eval.sandbox import LimitedProcess, ProcessLimits

_LIMITS = ProcessLimits(seconds=600)  # encoding takes longer than decoding


class ClipMaker:
    """Makes clips in a few limited processes; may be called from several threads.

    Attributes:
        processes: how many clips are made at a time.
    """

    def __init__(self, processes: int | None = None, limits: ProcessLimits = _LIMITS) -> None:
        self.processes = processes or os.cpu_count() or 1
        self._limits = limits
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
        seen = self._ask(Look(source=_whole(source)))
        if not isinstance(seen, Seen):
            raise StudyError("the process that makes clips gave an answer out of turn")
        return Facts(**seen.model_dump(exclude={"kind"}))

    def encode(self, source: Path, target: Path, shape: Shape, spoil: int | None = None) -> list[int]:
        """See `ipvg_eval.leaderboard.study.clips.encode`.

        Raises:
            StudyError: no picture can be decoded, or the process failed on the video.
            OSError: the disk is full.
        """
        sizes = self._make(Encode(source=_whole(source), target=_whole(target), spoil=spoil, **asdict(shape)))
        if len(sizes) != shape.count:
            raise StudyError(f"{len(sizes)} pictures were encoded instead of {shape.count}")
        return list(sizes)

    def pad(self, source: Path, target: Path, sizes: Sequence[int]) -> None:
        """See `ipvg_eval.leaderboard.study.clips.pad`.

        Raises:
            StudyError: the process failed.
            OSError: the disk is full.
        """
        self._make(Pad(source=_whole(source), target=_whole(target), sizes=tuple(sizes)))

    def _make(self, request: Encode | Pad) -> tuple[int, ...]:
        made = self._ask(request)
        if not isinstance(made, Made):
            raise StudyError("the process that makes clips gave an answer out of turn")
        if made.sizes is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return made.sizes

    def _ask(self, request: Look | Encode | Pad) -> Seen | Made:
        process = self._idle.get()
        try:
            return process.done(request)
        except VideoError as error:
            raise StudyError(error.message) from error
        finally:
            self._idle.put(process)


def _whole(path: Path) -> str:
    return str(path.absolute())


class _ClipProcess(LimitedProcess):
    _answers: ClassVar[TypeAdapter[Seen | Made | Failed]] = TypeAdapter(
        Annotated[Seen | Made | Failed, Field(discriminator="kind")]
    )

    def __init__(self, limits: ProcessLimits) -> None:
        super().__init__("ipvg_eval.clips.worker", limits)

    def done(self, request: Look | Encode | Pad) -> Seen | Made:
        self.ask(request)
        try:
            answer = self._answers.validate_json(self.line(self.patience()))
        except ValidationError:
            raise self.refuse("an answer that makes no sense") from None
        if isinstance(answer, Failed):
            raise VideoError(answer.message)
        return answer
