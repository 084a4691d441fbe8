"""How a limited process and its parent reach each other: the one place that knows how systems differ in it.

A process is handed the open file that a request is about: over a socket where descriptors travel over those,
as the process itself may reach no file. Elsewhere (on Windows) the request follows the file's path, a JSON
string on a line of its own, and the process opens it: there it is confined by nothing that would forbid it.
"""

from __future__ import annotations

import io
import json
import os
import select
import socket
import stat
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import FileIO
from pathlib import Path
from typing import IO, BinaryIO

from ipvg_eval.core.errors import Unavailable
from ipvg_eval.errors import VideoError

_PIECE = 1 << 16


def hands_over_descriptors() -> bool:
    """Whether this system sends open files to other processes; Python for Windows cannot."""
    return hasattr(socket, "send_fds")


def open_file(path: Path) -> FileIO:
    """A file, open for reading; its `name` is the path.

    Raises:
        VideoError: it cannot be.
    """
    hint = "Check the path and its permissions."
    try:
        file = FileIO(path, "rb", opener=_unhindered)
    except IsADirectoryError:
        raise VideoError("is no plain file", path=path, hint=hint) from None
    except OSError as error:
        raise VideoError(f"cannot be read ({error.strerror or error})", path=path, hint=hint) from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise VideoError("is no plain file", path=path, hint=hint)
    return file


def _unhindered(path: str, flags: int) -> int:
    # A pipe that took the file's place must not make us wait for its other end.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))


class Connection(ABC):
    """The parent's end: a process that runs, what it is asked and what it says.

    Attributes:
        process: it.
    """

    process: subprocess.Popen[bytes]

    @abstractmethod
    def send(self, line: bytes, file: FileIO | None) -> None:
        """Send a line, and the file that it is about.

        Raises:
            BrokenPipeError, ConnectionResetError: the process has ended.
            TimeoutError: it does not listen.
        """

    @abstractmethod
    def receive(self, most: int, seconds: float) -> bytes | None:
        """What it says next, b"" once it has ended; None where it says nothing for so long."""

    @abstractmethod
    def close(self) -> None:
        """End the process and all that belongs to it."""

    def _end(self) -> None:
        self.process.kill()
        self.process.wait()


def connect(
    words: Sequence[str],
    *,
    environment: Mapping[str, str],
    stderr: IO[bytes],
    inherited: Sequence[int] = (),
    patience: float,
) -> Connection:
    """Start a process that serves requests.

    Args:
        words: its command.
        environment: all of it.
        stderr: where it writes what is no answer.
        inherited: file descriptors that it shares with this process.
        patience: seconds that it may take to listen.

    Raises:
        OSError: no process can be started.
        Unavailable: this system shares no descriptors.
    """
    if hands_over_descriptors():
        return _OverSocket(words, environment, stderr, inherited, patience)
    if inherited:
        raise Unavailable(
            "frames are decoded in processes that share memory with this one, which Python cannot do here",
            hint="On Windows use ipvg-eval in WSL, the Windows Subsystem for Linux; only `validate` works "
            "without it.",
        )
    return _OverPipes(words, environment, stderr)


class _OverSocket(Connection):
    def __init__(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        stderr: IO[bytes],
        inherited: Sequence[int],
        patience: float,
    ) -> None:
        self._channel, theirs = socket.socketpair()
        self._channel.settimeout(patience)
        try:
            self.process = subprocess.Popen(  # noqa: S603 - our own module
                words,
                stdin=theirs.fileno(),
                stdout=subprocess.PIPE,
                stderr=stderr,
                bufsize=0,
                pass_fds=inherited,
                env=environment,
                start_new_session=True,  # Ctrl-C is for the parent
            )
        except OSError:
            self._channel.close()
            raise
        finally:
            theirs.close()

    def send(self, line: bytes, file: FileIO | None) -> None:
        left = memoryview(line)
        if file is not None:
            left = left[socket.send_fds(self._channel, [left], [file.fileno()]) :]
        self._channel.sendall(left)

    def receive(self, most: int, seconds: float) -> bytes | None:
        stdout = self.process.stdout
        assert stdout is not None
        ready, _, _ = select.select([stdout], [], [], seconds)
        return os.read(stdout.fileno(), most) if ready else None

    def close(self) -> None:
        self._end()
        self._channel.close()
        assert self.process.stdout is not None
        self.process.stdout.close()


class _OverPipes(Connection):
    def __init__(self, words: Sequence[str], environment: Mapping[str, str], stderr: IO[bytes]) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - our own module
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            bufsize=0,
            env=environment,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # Ctrl-C is for the parent
        )
        # Windows waits for sockets only, so that a thread reads while this one counts the seconds.
        self._reader = ThreadPoolExecutor(1)

    def send(self, line: bytes, file: FileIO | None) -> None:
        assert self.process.stdin is not None
        if file is not None:
            line = json.dumps(str(Path(file.name).absolute())).encode() + b"\n" + line
        left = memoryview(line)
        try:
            while left:
                left = left[self.process.stdin.write(left) :]
        except OSError as error:  # Windows has several names for it
            raise BrokenPipeError from error

    def receive(self, most: int, seconds: float) -> bytes | None:
        assert self.process.stdout is not None
        try:
            return self._reader.submit(os.read, self.process.stdout.fileno(), most).result(seconds)
        except TimeoutError:
            return None

    def close(self) -> None:
        self._end()
        self._reader.shutdown()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()


def requests() -> Iterator[tuple[bytes, BinaryIO | VideoError | None]]:
    """The process's end: each line that it is sent, and the file that came with it or why there is none.

    A file is closed when the next one comes.
    """
    return _from_socket() if hands_over_descriptors() else _from_pipe()


def _from_socket() -> Iterator[tuple[bytes, BinaryIO | None]]:
    channel = socket.socket(fileno=0)
    unread = bytearray()
    file: BinaryIO | None = None
    fresh = False
    while True:
        while b"\n" not in unread:
            piece, descriptors, _, _ = socket.recv_fds(channel, _PIECE, 1)
            if not piece:
                return
            unread += piece
            for descriptor in descriptors:
                if file is not None:
                    file.close()
                file, fresh = os.fdopen(descriptor, "rb", buffering=0), True
        line, _, unread = unread.partition(b"\n")
        yield bytes(line), file if fresh else None
        fresh = False


def _from_pipe() -> Iterator[tuple[bytes, BinaryIO | VideoError | None]]:
    file: BinaryIO | VideoError | None = None
    fresh = False
    for line in sys.stdin.buffer:
        if not line.startswith(b'"'):
            yield line, file if fresh else None
            fresh = False
            continue
        if isinstance(file, io.IOBase):
            file.close()
        try:
            # Not a plain file to FFmpeg, which may number open files otherwise than Python does here.
            file, fresh = io.BufferedReader(open_file(Path(json.loads(line)))), True
        except VideoError as error:
            file, fresh = error, True
