"""Calling a program for each video."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from ipvg_eval.core.printable import printable
from ipvg_eval.reference_generator.errors import SystemFailed, SystemUnusable
from ipvg_eval.reference_generator.job import Job
from ipvg_eval.reference_generator.ranks import Ranks
from ipvg_eval.reference_generator.redaction import redacted
from ipvg_eval.reference_generator.settings import Settings
from ipvg_eval.reference_generator.systems.templates import common_fields, filled, require_environment
from ipvg_eval.reference_generator.task import System, Task

_LINES, _LINE = 12, 300
_KEPT = 16384
_GRACE = 5.0


class CommandSystem(System):
    """A program, called with an argument list and never through a shell.

    It runs in a process group of its own: all of it can be ended, and Ctrl-C reaches it only through us.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._running: subprocess.Popen[bytes] | None = None

    def begin(self, jobs: Sequence[tuple[Job, str]], records: Path) -> None:
        """See `System.begin`."""
        del jobs, records
        command = self._settings.command
        require_environment(command.secrets, "command.secrets")
        folder = Path(command.folder or ".").expanduser()
        if not folder.is_dir():
            raise SystemUnusable(
                "the command's folder does not exist", path=folder, hint="Check command.folder."
            )
        program = sys.executable if command.argv[0] == "{python}" else command.argv[0]
        place = str(folder / program) if os.sep in program else program
        if "{" not in program and shutil.which(place) is None:
            raise SystemUnusable(
                f"the command {printable(program)!r} cannot be found or is not executable",
                hint="Check command.argv; its first word is a program on the PATH or a path.",
            )

    def make(self, task: Task) -> Path:
        """See `System.make`."""
        assert task.desk is not None
        command, out = self._settings.command, task.desk.scratch / "video.mp4"
        files = [str(path.resolve()) for path in task.desk.files]
        fields = common_fields(task, self._settings) | {
            "ref": files[0],
            "refs": files,
            "out": str(out.resolve()),
            "python": sys.executable,
            "gpu": Ranks.from_environment().local,
        }
        argv = [str(word) for word in filled(command.argv, fields)]
        environment = {name: str(filled(value, fields)) for name, value in command.environment.items()}
        self._call(argv, {**os.environ, **environment})
        return out

    def stop(self) -> None:
        """See `System.stop`."""
        if self._running is not None:
            _end(self._running)

    def _call(self, argv: list[str], environment: dict[str, str]) -> None:
        command = self._settings.command
        try:
            process = subprocess.Popen(  # noqa: S603 (the user's own program, as a list)
                argv,
                cwd=Path(command.folder or ".").expanduser(),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise SystemFailed(f"the command cannot be started ({reason})") from error
        self._running = process
        assert process.stdout is not None
        said = bytearray()
        reader = threading.Thread(target=_drain, args=(process.stdout, said), daemon=True)
        reader.start()
        try:
            code = process.wait(command.timeout)
        except subprocess.TimeoutExpired as error:
            _end(process)
            raise SystemFailed(
                f"the command did not end within {command.timeout:g} s{self._last_words(reader, said)}"
            ) from error
        finally:
            _end(process)  # and what it has left behind
            self._running = None
        if code != 0:
            how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
            raise SystemFailed(f"the command ended with {how}{self._last_words(reader, said)}")

    def _last_words(self, reader: threading.Thread, said: bytearray) -> str:
        reader.join(_GRACE)
        text = bytes(said).decode("utf-8", "replace")
        if len(said) == _KEPT:  # its beginning is lost, and perhaps half a secret with it
            text = text.partition("\n")[2] or text[_KEPT // 2 :]
        text = redacted(text, self._settings.command.secrets)
        lines = [printable(line.rstrip(), longest=_LINE) for line in text.splitlines() if line.strip()]
        return "; its last lines:\n" + "\n".join(lines[-_LINES:]) if lines else "; it said nothing"


def _drain(stream: IO[bytes], said: bytearray) -> None:
    with stream:
        while chunk := os.read(stream.fileno(), _KEPT):
            said += chunk
            del said[:-_KEPT]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the program and everything in its group: politely, then not."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
        except (ProcessLookupError, PermissionError):
            break
        if process.poll() is None:
            try:
                process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                continue
    process.wait()
