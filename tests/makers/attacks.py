"""What code that took over a decoder would try; as a module, a process that tries what it is told to.

Each attack returns None if it worked, or what stopped it.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from ipvg_eval.sandbox.messages import Message


class Attempt(Message):
    """Try this, on a file that the parent owns, a folder of its own, and a port that it listens on."""

    attack: str
    victim: str
    port: int


class Outcome(Message):
    """What stopped it; None if nothing did."""

    kind: Literal["outcome"] = "outcome"
    stopped_by: str | None


def _read(attempt: Attempt) -> None:
    Path(attempt.victim).read_bytes()


def _list(attempt: Attempt) -> None:
    list(Path(attempt.victim).parent.iterdir())


def _own_environment(_: Attempt) -> None:
    if "token" not in os.environ.values():
        raise OSError(", ".join(sorted(os.environ)))


def _read_environment(_: Attempt) -> None:
    Path(f"/proc/{os.getppid()}/environ").read_bytes()


def _read_memory(_: Attempt) -> None:
    with Path(f"/proc/{os.getppid()}/mem").open("rb", buffering=0) as memory:
        memory.seek(_mapped(os.getppid()))
        memory.read(16)


def _write_memory(_: Attempt) -> None:
    with Path(f"/proc/{os.getppid()}/mem").open("r+b", buffering=0) as memory:
        memory.seek(_mapped(os.getppid()))
        memory.write(memory.read(1))


def _mapped(pid: int) -> int:
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        if " rw-p " in line and "[heap]" in line:
            return int(line.partition("-")[0], 16)
    raise OSError("there is no heap")


def _trace(_: Attempt) -> None:
    _checked(ctypes.CDLL(None, use_errno=True).ptrace(16, os.getppid(), None, None))  # PTRACE_ATTACH
    os.waitpid(os.getppid(), 0)
    _checked(ctypes.CDLL(None, use_errno=True).ptrace(17, os.getppid(), None, None))


def _checked(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _truncate(attempt: Attempt) -> None:
    os.truncate(attempt.victim, 0)


def _open_to_truncate(attempt: Attempt) -> None:
    os.close(os.open(attempt.victim, os.O_WRONLY | os.O_TRUNC))


def _append(attempt: Attempt) -> None:
    with Path(attempt.victim).open("ab") as file:
        file.write(b"x")


def _create(attempt: Attempt) -> None:
    (Path(attempt.victim).parent / "new").touch()


def _unlink(attempt: Attempt) -> None:
    Path(attempt.victim).unlink()


def _rename(attempt: Attempt) -> None:
    Path(attempt.victim).rename(attempt.victim + "-renamed")


def _link(attempt: Attempt) -> None:
    os.link(attempt.victim, attempt.victim + "-linked")


def _symlink(attempt: Attempt) -> None:
    Path(attempt.victim + "-symlinked").symlink_to(attempt.victim)


def _chmod(attempt: Attempt) -> None:
    Path(attempt.victim).chmod(0o777)


def _make_folder(attempt: Attempt) -> None:
    Path(attempt.victim + "-folder").mkdir()


def _connect(attempt: Attempt) -> None:
    socket.create_connection(("127.0.0.1", attempt.port), timeout=5).close()


def _listen(_: Attempt) -> None:
    socket.create_server(("127.0.0.1", 0)).close()


def _shell(_: Attempt) -> None:
    subprocess.run(["/bin/sh", "-c", "true"], check=True)


def _replace_itself(_: Attempt) -> None:
    os.execv("/bin/true", ["true"])


def _fork(_: Attempt) -> None:
    children = []
    try:
        for _ in range(200):
            if not (child := os.fork()):
                os._exit(0)
            children.append(child)
    finally:
        for child in children:
            os.waitpid(child, 0)


def _signal_parent(_: Attempt) -> None:
    os.kill(os.getppid(), 0)


ATTACKS: dict[str, Callable[[Attempt], None]] = {
    "read a file of the user": _read,
    "list a folder": _list,
    "find a token in its environment": _own_environment,
    "read the parent's environment": _read_environment,
    "read the parent's memory": _read_memory,
    "write the parent's memory": _write_memory,
    "trace the parent": _trace,
    "truncate a file": _truncate,
    "open a file and empty it": _open_to_truncate,
    "append to a file": _append,
    "create a file": _create,
    "unlink a file": _unlink,
    "rename a file": _rename,
    "link a file": _link,
    "link a file by name": _symlink,
    "chmod a file": _chmod,
    "make a folder": _make_folder,
    "open a TCP connection": _connect,
    "listen on a port": _listen,
    "start a shell": _shell,
    "become another program": _replace_itself,
    "fork 200 times": _fork,
    "send the parent a signal": _signal_parent,
}


def _change_frames(attempt: Attempt) -> None:
    with mmap.mmap(attempt.port, mmap.PAGESIZE) as frames:
        frames[:] = bytes(value ^ 0xFF for value in frames[:])


NOT_STOPPED = {"change frames": _change_frames}
"""Here the port is the descriptor of the memory that frames are handed over in."""


def attempt(request: Attempt, _: object = None) -> Outcome:
    """Try it."""
    try:
        (ATTACKS | NOT_STOPPED)[request.attack](request)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return Outcome(stopped_by=f"{type(error).__name__}: {error}")
    return Outcome(stopped_by=None)


if __name__ == "__main__":
    from ipvg_eval.sandbox.child import serve

    serve(Attempt, attempt, versions={})
