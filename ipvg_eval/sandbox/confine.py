"""Where a process gives up what it does not need; the one place that knows operating systems."""

from __future__ import annotations

import ctypes
import os
import sys
import sysconfig
from collections.abc import Callable, Iterable
from pathlib import Path

from ipvg_eval.core.limits import Confinement, ProcessLimits
from ipvg_eval.sandbox import landlock, seccomp

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]

_NO_NEW_PRIVILEGES, _SET_DUMPABLE = 38, 4
_SYSTEM_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64")
_SIZES_AND_COUNTS = ("RLIMIT_AS", "RLIMIT_NOFILE", "RLIMIT_CORE", "RLIMIT_FSIZE")


def confine(limits: ProcessLimits, *, writable: Iterable[Path] = (), file_size: int = 0) -> Confinement:
    """Give up for good what reading files that are open already does not need.

    Left are: reading the installed libraries, threads, memory, and the files and streams that are open. What
    the system cannot do is left out and said. The number of processes is the filter's business: a limit on
    it counts threads too, and those of all processes of the user.

    Args:
        limits: of memory and open files.
        writable: folders to read and write in.
        file_size: bytes that a file it writes may have.
    """
    writable = tuple(writable)
    steps: dict[str, Callable[[], str]] = {
        "limits": lambda: _limit(limits, file_size),
        "Landlock": lambda: _landlock(writable),
        "seccomp": lambda: _seccomp(writes=bool(writable)),
    }
    by, lacking = [], []
    for name, step in steps.items():
        try:
            by.append(step())
        except OSError as error:
            lacking.append(f"{name} ({error.strerror or error})")
    return Confinement(by=tuple(by), lacking=tuple(lacking))


def limit_cpu_time(seconds: float) -> None:
    """End this process if it computes for so long from now on, whoever waits for it; 0 s are one."""
    if resource is None:
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    soft = int(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(
        resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard)
    )


def hide_memory() -> None:
    """Keep other processes of this user, without privileges, from reading this one's memory and environment.

    Debuggers need the right to trace any process then (root has it), and no core is written.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_DUMPABLE, 0, 0, 0, 0)


def _limit(limits: ProcessLimits, file_size: int) -> str:
    if resource is None:
        raise OSError("this system has none")
    memory = limits.memory_mib * 2**20
    for name, value in zip(_SIZES_AND_COUNTS, (memory, limits.open_files, 0, file_size), strict=True):
        number = getattr(resource, name)
        _, most = resource.getrlimit(number)
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        try:
            resource.setrlimit(number, (value, value))
        except ValueError as error:  # macOS refuses some
            raise OSError(f"{name} cannot be set") from error
    return "limits of memory, files and time"


def _landlock(writable: tuple[Path, ...]) -> str:
    _only_on_linux()
    if not (version := landlock.version()):
        raise OSError("the kernel has none")
    _alone()
    _no_new_privileges()
    landlock.restrict(readable=_libraries(), writable=writable)
    return f"Landlock {version}"


def _seccomp(*, writes: bool) -> str:
    _only_on_linux()
    _no_new_privileges()
    seccomp.restrict(writes=writes)
    return "seccomp"


def _only_on_linux() -> None:
    if sys.platform != "linux":
        raise OSError(f"there is none on {sys.platform}")


def _alone() -> None:
    if len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208 - names are enough
        raise OSError("the process has other threads, which it would not hold")


def _no_new_privileges() -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _libraries() -> list[Path]:
    """Folders that modules and libraries may still be loaded from."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    installed = {Path(path) for name in names if (path := sysconfig.get_paths().get(name))}
    loaded = {
        Path(folder).resolve()
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] == "ipvg_eval"
        for folder in getattr(module, "__path__", ())
    }
    return [*sorted(installed | loaded), *map(Path, _SYSTEM_LIBRARIES)]
