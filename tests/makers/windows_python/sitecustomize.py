"""Makes a Python of Unix lack what that of Windows lacks, and refuse what Windows refuses.

On PYTHONPATH it holds for a command and for every process that the command starts. A process that is asked
about the video that PYTHONUSERBASE names never answers.
"""

from __future__ import annotations

import builtins
import importlib.machinery
import os
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import types
from pathlib import Path

os.O_BINARY = 1 << 28  # a flag that Linux passes over
import tempfile  # noqa: E402, F401

ABSENT = {
    socket: "AF_UNIX send_fds recv_fds socketpair SCM_RIGHTS",
    signal: "SIGKILL SIGHUP SIGQUIT SIGALRM SIGUSR1 SIGUSR2 SIGPIPE SIGCHLD SIGSTOP SIGCONT alarm setitimer",
    select: "poll epoll",
    # uname stays: NumPy's build for Linux asks for it.
    os: "fork forkpty getuid geteuid getgid getegid setsid getpgid killpg statvfs mkfifo mknod chown fchown "
    "lchown fchmod chroot pread pwrite preadv sched_getaffinity sched_setaffinity memfd_create MFD_CLOEXEC "
    "posix_fadvise nice sysconf O_NOFOLLOW O_DIRECTORY O_NONBLOCK O_PATH O_CLOEXEC O_SYNC",
}
_real_open, _real_unlink, _real_listdir, _real_kill = os.open, os.unlink, os.listdir, os.kill
_real_builtin_open, _real_select = builtins.open, select.select


def _open(path, flags, *rest, **more):
    """Without O_BINARY, Windows changes line ends and stops at byte 26."""
    assert flags & os.O_BINARY, f"{path} would be read as text"
    return _real_open(path, flags & ~os.O_BINARY, *rest, **more)


def _unlink(path, **more):
    """Windows removes no file that any process has open."""
    wanted = os.path.realpath(path)
    for process in filter(str.isdigit, _real_listdir("/proc")):
        try:
            folder = f"/proc/{process}/fd"
            held = [
                os.readlink(f"{folder}/{number}")  # noqa: PTH115 - what Path does is changed here
                for number in _real_listdir(folder)
            ]
        except OSError:
            continue
        if wanted in held:
            raise PermissionError(13, "The process cannot access the file: it is in use", path)
    _real_unlink(path, **more)


def _select(readers, *rest):
    assert all(isinstance(reader, socket.socket) for reader in readers), "Windows waits for sockets only"
    return _real_select(readers, *rest)


def _builtin_open(path, *rest, **more):
    if isinstance(path, (str, Path)) and str(path).startswith("/proc/"):
        raise FileNotFoundError(2, "No such file or directory", str(path))
    return _real_builtin_open(path, *rest, **more)


class _Popen(subprocess.Popen):
    def __init__(self, *words, pass_fds=(), preexec_fn=None, **more):
        assert not pass_fds, "pass_fds not supported on Windows."
        assert preexec_fn is None, "preexec_fn is not supported on Windows platforms"
        for stream in (more.get(name) for name in ("stdin", "stdout", "stderr")):
            if isinstance(stream, int) and stream >= 0 and stat.S_ISSOCK(os.fstat(stream).st_mode):
                raise OSError(9, "Bad file descriptor")
        for name in (
            "creationflags",
            "start_new_session",
        ):  # the one is Windows' alone, the other unknown there
            more.pop(name, None)
        super().__init__(*words, **more)

    def kill(self):
        if self.poll() is None:
            _real_kill(self.pid, 9)


class _Ours:
    """Names the system to our module that asks for it, packages built for Linux stay in their belief."""

    def find_spec(self, name, path=None, target=None):
        change = {"ipvg_eval.sandbox.confine": _names_the_system, "ipvg_eval.validation.one_video": _hangs}
        if name not in change:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        run = spec.loader.exec_module

        def run_and_change(module):
            run(module)
            change[name](module)

        spec.loader.exec_module = run_and_change
        return spec


def _names_the_system(module):
    module.sys = types.SimpleNamespace(platform="win32", modules=sys.modules)


def _hangs(module):
    real = module.probe

    def probe(stream, *, name, **more):
        if name == os.environ.get("PYTHONUSERBASE"):  # of the few names that such a process is given
            time.sleep(3600)
        return real(stream, name=name, **more)

    module.probe = probe


for name in ("resource", "fcntl", "termios", "pwd", "grp", "tty", "pty", "syslog", "readline"):
    sys.modules[name] = None
for module, names in ABSENT.items():
    for name in names.split():
        if hasattr(module, name):
            delattr(module, name)
shutil._use_fd_functions = False
os.open, os.unlink, os.remove, select.select = _open, _unlink, _unlink, _select
builtins.open, subprocess.Popen = _builtin_open, _Popen
sys.meta_path.insert(0, _Ours())
