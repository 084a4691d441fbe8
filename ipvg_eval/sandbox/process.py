"""A limited process, seen from the parent."""

from __future__ import annotations

import functools
import logging
import os
import signal
import subprocess
import tempfile
import time
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from ipvg_eval.core.errors import Unavailable
from ipvg_eval.core.limits import ProcessLimits
from ipvg_eval.errors import VideoError
from ipvg_eval.sandbox.confine import hide_memory
from ipvg_eval.sandbox.handover import connect, open_file
from ipvg_eval.sandbox.messages import Failed, Hello, Message
from ipvg_eval.sandbox.python import absolute_python_path, module_command

MAX_LINE = 64 * 2**20
"""Bytes of the longest answer; the times of a ten-hour video take about 20 MiB."""

TRY_AGAIN = "Export the video again as MP4 with H.264."
# Where Python, packages and libraries are found; full names, as tokens have names of any beginning.
_PYTHON = ("PYTHONHOME", "PYTHONPATH", "PYTHONUSERBASE")
_LIBRARIES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH")
_INHERITED = frozenset({*_PYTHON, *_LIBRARIES, "SYSTEMROOT"})
# Threads of libraries would take address space, by the number of cores, and Landlock would not hold them.
_ONE_THREAD = {
    **{f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")},
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
_START = 300.0  # seconds until a process must have said hello, however busy the machine is
_GRACE = 5.0  # the process watches its own time; the parent steps in where it does not

_log = logging.getLogger(__name__)

Answer = TypeVar("Answer")


class LimitedProcess(Generic[Answer]):
    """Starts a module of ours in a process of its own, asks it and reads its answers, a line each.

    When the process crashes, hangs or talks nonsense it is ended, and that is a VideoError for the file at
    hand; the next request starts a new process. One that does not even start is Unavailable: no file is to
    blame. Not for several threads at once.
    """

    def __init__(
        self,
        module: str,
        answers: Any,
        limits: ProcessLimits | None = None,
        *settings: BaseModel,
        inherited: tuple[int, ...] = (),
    ) -> None:
        """Nothing is started yet.

        Args:
            module: run as `python -P -m` does; calls `ipvg_eval.sandbox.child.serve`.
            answers: what it may answer: a message, or a union of messages.
            limits: of the process.
            settings: further arguments, as JSON.
            inherited: file descriptors it shares with this process, under the same numbers.
        """
        self.limits = limits or ProcessLimits()
        self._module = module
        self._answers: TypeAdapter[Any] = TypeAdapter(
            Annotated[Failed | Hello | answers, Field(discriminator="kind")]
        )
        self._settings = settings
        self._inherited = inherited
        self._process: subprocess.Popen[bytes] | None = None
        self._hello: Hello | None = None
        self._unread = bytearray()
        self.waited = 0.0
        """Seconds that its answers were waited for."""

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
        process, self._process, self._hello = self._process, None, None
        if process is not None:
            self._connection.close()
            self._stderr.close()

    def hello(self) -> Hello:
        """Start the process, unless it runs already; what it said of itself.

        Raises:
            Unavailable: it does not start, or a package that it needs is broken.
        """
        if self._hello is None:
            try:
                self._begin()
                hello = self._parsed(self._line(Patience(_START)))
                if not isinstance(hello, Hello):
                    raise self.refuse("an answer out of turn")
            except VideoError as error:
                raise Unavailable(
                    f"this installation is broken: before it opened a file, {error.message}",
                    hint="No video is to blame. See what `pip check` says, and install ipvg-eval again.",
                ) from error
            except OSError as error:
                self.close()
                raise Unavailable(
                    f"no process can be started to open videos in ({error.strerror})",
                    hint="Close other programs, or raise the limits of this account.",
                ) from error
            lacking = ", ".join(hello.confinement.lacking)
            if lacking and self.limits.require_confinement:
                self.close()
                raise Unavailable(
                    f"videos cannot be opened as safely as --require-confinement asks: {lacking}",
                    hint="Use Linux 6.7 or newer, or leave the option out and run it in a container.",
                )
            _say_what_is_lacking(lacking)
            self._hello = hello
        return self._hello

    def ask(self, request: Message, file: FileIO | None = None) -> None:
        """Send a request, and the open file that it is about.

        Raises:
            VideoError: the process has ended.
            Unavailable: it does not start.
        """
        self.hello()
        try:
            self._connection.send(request.model_dump_json().encode() + b"\n", file)
        except (BrokenPipeError, ConnectionResetError):
            raise self._ended() from None
        except TimeoutError:
            raise self._too_slow(self.limits.seconds) from None

    def ask_about(self, path: Path, request: Message) -> None:
        """Send a request about a file, which is opened here: the process itself reaches none.

        Raises:
            VideoError: the file cannot be opened, or the process has ended.
            Unavailable: it does not start.
        """
        with open_file(path) as file:
            self.ask(request, file)

    def answer(self, patience: Patience | None = None) -> Answer:
        """The next answer.

        Args:
            patience: how long to wait; as long as one request may take where None.

        Raises:
            VideoError: the process failed, or says that the file did.
        """
        answer = self._parsed(self._line(patience or self.patience()))
        if isinstance(answer, Failed):
            if answer.spent:
                self.close()
            raise VideoError(answer.message, hint=answer.hint)
        if isinstance(answer, Hello):
            raise self.refuse("an answer out of turn")
        return answer  # type: ignore[no-any-return]

    def patience(self) -> Patience:
        """The time the process has for a request."""
        return Patience(self.limits.seconds, grace=_GRACE)

    def refuse(self, what: str) -> VideoError:
        """End a process that cannot be trusted any more; the error to raise."""
        self.close()
        return VideoError(f"the decoder gave {what} and was stopped", hint=TRY_AGAIN)

    def _parsed(self, line: bytes) -> Any:
        try:
            return self._answers.validate_json(line)
        except ValidationError:
            raise self.refuse("an answer that makes no sense") from None

    def _line(self, patience: Patience) -> bytes:
        while b"\n" not in self._unread:
            if len(self._unread) > MAX_LINE:
                raise self.refuse("an answer without end")
            self._unread += self._read(1 << 16, patience)
        line, _, rest = self._unread.partition(b"\n")
        self._unread = rest
        return bytes(line)

    def _read(self, most: int, patience: Patience) -> bytes:
        assert self._process is not None, "nothing was asked"
        before = patience.left
        with patience:
            part = self._connection.receive(most, patience.left)
        self.waited += before - patience.left
        if part is None:
            raise self._too_slow(patience.said)
        if not part:
            raise self._ended()
        return part

    def _too_slow(self, seconds: float) -> VideoError:
        self.close()
        return VideoError(
            f"the decoder took longer than {seconds:g} s and was stopped",
            hint="Export the video again, or raise --decoder-seconds.",
        )

    def _ended(self) -> VideoError:
        assert self._process is not None
        code = self._process.wait()
        what = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        self._stderr.seek(0)
        said = self._stderr.read()[-2000:].decode(errors="replace").strip().splitlines()
        self.close()
        return VideoError(f"the decoder {what}" + (f" ({said[-1][:200]})" if said else ""), hint=TRY_AGAIN)

    def _command(self) -> list[str]:
        settings = [setting.model_dump_json() for setting in (self.limits, *self._settings)]
        return [*module_command(self._module), *settings]

    def _begin(self) -> None:
        hide_memory()
        self._unread.clear()
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        try:
            self._connection = connect(
                self._command(),
                environment=_environment(),
                stderr=self._stderr,
                inherited=self._inherited,
                patience=self.limits.seconds + _GRACE,
            )
        except BaseException:
            self._stderr.close()
            raise
        self._process = self._connection.process


@functools.cache
def _say_what_is_lacking(lacking: str) -> None:
    if lacking:
        _log.warning("Videos are opened in processes that this system cannot confine fully: no %s.", lacking)


def _environment() -> dict[str, str]:
    """What a process needs to run at all: keys and tokens of this one are none of its business."""
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return absolute_python_path(kept | _ONE_THREAD)


class Patience:
    """Waiting time that is left; only what passes inside a with block counts.

    Attributes:
        left: seconds.
        said: seconds that messages speak of.
    """

    def __init__(self, seconds: float, *, grace: float = 0.0) -> None:
        self.said = seconds
        self.left = seconds + grace

    def __enter__(self) -> None:
        self._since = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self.left = max(0.0, self.left - (time.monotonic() - self._since))
