"""A decoder process, seen from the parent."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from pydantic import BaseModel, ValidationError

from ipvg_eval.decoding.limits import DecodeLimits
from ipvg_eval.decoding.messages import ANSWER, MAX_LINE, Batch, Decode, End, Failed, Open, Opened
from ipvg_eval.errors import VideoError
from ipvg_eval.video import Batch as FrameBatch
from metrics.evaluator import ClipInfo

_GRACE = 5.0  # the process watches its own time; the parent steps in where it does not
_MAX_BATCH = 2**30
_TRY_AGAIN = "Export the video again as MP4 with H.264."


class DecoderProcess:
    """Opens and decodes videos, one after the other, in a process with limits.

    A crash, a hang or an over-allocation is a VideoError for the video at hand; the next video
    starts a new process. Not for several threads at once.
    """

    def __init__(self, limits: DecodeLimits | None = None) -> None:
        self.limits = limits or DecodeLimits()
        self._process: subprocess.Popen[bytes] | None = None
        self._unread = bytearray()

    def open(self, path: Path) -> OpenVideo:
        """Look at a video.

        Raises:
            VideoError: it cannot be opened, or the process failed on it.
        """
        self._ask(Open(path=str(path.absolute())))
        answer = self._answer(_Patience(self.limits.seconds + _GRACE))
        if not isinstance(answer, Opened):
            raise self._broken("an answer out of turn")
        return OpenVideo(self, answer)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def kill(self) -> None:
        """Make whoever waits for the process see it end; may be called from another thread."""
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        self._stderr.close()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue

    def _decode(self, indices: Sequence[int], opened: Opened) -> Iterator[FrameBatch | End]:
        wanted = sorted(set(indices))
        self._ask(Decode(indices=tuple(wanted)))
        patience = _Patience(self.limits.seconds + _GRACE)
        finished = False
        try:
            last = -1
            while not finished:
                answer = self._answer(patience)
                finished = isinstance(answer, End)
                yield (
                    answer
                    if isinstance(answer, End)
                    else self._frames(answer, opened, wanted, last, patience)
                )
                last = answer.indices[-1] if isinstance(answer, Batch) else last
        except VideoError:
            finished = True
            raise
        finally:
            if not finished:
                self.close()  # nobody reads the frames that are still to come

    def _frames(
        self, answer: Opened | Batch, opened: Opened, wanted: Sequence[int], last: int, patience: _Patience
    ) -> FrameBatch:
        if not isinstance(answer, Batch) or answer.indices[0] <= last:
            raise self._broken("an answer out of turn")
        if answer.indices[-1] >= len(opened.times) or not set(answer.indices) <= set(wanted):
            raise self._broken("frames that nobody asked for")
        if answer.size > _MAX_BATCH:
            raise self._broken("frames that are too large")
        frames = np.empty((len(answer.indices), answer.height, answer.width, 3), np.uint8)
        self._fill(frames.data.cast("B"), patience)
        times = tuple(opened.times[i] for i in answer.indices)
        return FrameBatch(indices=answer.indices, times=times, frames=frames)

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "ipvg_eval.decoding.worker", self.limits.model_dump_json()]

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._unread.clear()
            self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                self._command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                bufsize=0,
                start_new_session=True,  # Ctrl-C is for the parent
            )
        return self._process

    def _ask(self, request: BaseModel) -> None:
        process = self._running()
        assert process.stdin is not None
        try:
            process.stdin.write(request.model_dump_json().encode() + b"\n")
        except BrokenPipeError:
            raise self._ended() from None

    def _answer(self, patience: _Patience) -> Opened | Batch | End:
        while b"\n" not in self._unread:
            if len(self._unread) > MAX_LINE:
                raise self._broken("an answer without end")
            self._unread += self._read(1 << 16, patience)
        line, _, rest = self._unread.partition(b"\n")
        self._unread = rest
        try:
            answer = ANSWER.validate_json(bytes(line))
        except ValidationError:
            raise self._broken("an answer that makes no sense") from None
        if isinstance(answer, Failed):
            raise VideoError(answer.message, hint=answer.hint)
        return answer

    def _fill(self, view: memoryview, patience: _Patience) -> None:
        known = min(len(view), len(self._unread))
        view[:known] = self._unread[:known]
        del self._unread[:known]
        while known < len(view):
            part = self._read(len(view) - known, patience)
            view[known : known + len(part)] = part
            known += len(part)

    def _read(self, most: int, patience: _Patience) -> bytes:
        process = self._running()
        assert process.stdout is not None
        with patience:
            ready, _, _ = select.select([process.stdout], [], [], patience.left)
        if not ready:
            self.close()
            raise VideoError(
                f"the decoder took longer than {self.limits.seconds:g} s and was stopped",
                hint="Export the video again, or raise --decoder-seconds.",
            )
        part = os.read(process.stdout.fileno(), min(most, 1 << 20))
        if not part:
            raise self._ended()
        return part

    def _ended(self) -> VideoError:
        process = self._running()
        code = process.wait()
        what = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        self._stderr.seek(0)
        said = self._stderr.read()[-2000:].decode(errors="replace").strip().splitlines()
        self.close()
        return VideoError(f"the decoder {what}" + (f" ({said[-1][:200]})" if said else ""), hint=_TRY_AGAIN)

    def _broken(self, what: str) -> VideoError:
        self.close()
        return VideoError(f"the decoder gave {what} and was stopped", hint=_TRY_AGAIN)


class OpenVideo:
    """A video that a decoder process has opened.

    Attributes:
        clip: what evaluators are told.
        codec: FFmpeg's name of its codec.
        damage: why part of it did not decode, or None; complete once the batches are exhausted.
        note: what a reader must know about its frames, or None; likewise.
    """

    def __init__(self, process: DecoderProcess, opened: Opened) -> None:
        self._process = process
        self._opened = opened
        self.clip: ClipInfo = opened.clip
        self.codec = opened.codec
        self.damage: str | None = None
        self.note: str | None = None

    def batches(self, indices: Sequence[int]) -> Iterator[FrameBatch]:
        """Decode these frames; see `ipvg_eval.video.decode`. Only for the video opened last.

        Raises:
            VideoError: no wanted frame decodes, or the process failed.
        """
        for answer in self._process._decode(indices, self._opened):
            if isinstance(answer, End):
                self.damage, self.note = answer.damage, answer.note
            else:
                yield answer


class _Patience:
    """Waiting time that is left; only what passes inside a with block counts."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds

    def __enter__(self) -> None:
        self._since = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self.left = max(0.0, self.left - (time.monotonic() - self._since))
