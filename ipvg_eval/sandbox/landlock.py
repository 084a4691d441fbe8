"""Landlock: from now on this process reaches no file, no port and no other process but those named here.

Linux 5.13 and newer, without any privilege; `linux/landlock.h`. What the kernel's version knows is used: it
holds back reading, writing, running and removing (1), moving files (2), cutting them short (3), TCP (4),
devices (5), signals and abstract sockets (6). Changing modes and owners is not among it; see `seccomp`.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446  # the same on every architecture
_VERSION = 1
_PATH_BENEATH = 1
_EXECUTE, _WRITE, _READ, _READ_FOLDER = (1 << bit for bit in range(4))
_FILES = (1 << 13) - 1
_REFER, _TRUNCATE, _DEVICES = 1 << 13, 1 << 14, 1 << 15
_MAKE_FILE, _MAKE_FOLDER, _REMOVE = 1 << 8, 1 << 7, (1 << 4) | (1 << 5)
_TCP = 0b11
_SIGNALS_AND_SOCKETS = 0b11


def version() -> int:
    """The kernel's version of it; 0 where there is none."""
    offered: int = _libc().syscall(_CREATE, None, 0, _VERSION)
    return max(0, offered)


def restrict(*, readable: Iterable[Path], writable: Iterable[Path] = ()) -> None:
    """Allow reading beneath some files and folders, writing beneath others, and nothing else, for good.

    Holds for this thread and those that it starts: call it before there are others. `NO_NEW_PRIVS` must be
    set. Paths that do not exist are passed over; descriptors that are open already stay usable.

    Raises:
        OSError: the kernel refuses.
    """
    offered = version()
    files = _FILES
    for since, right in ((2, _REFER), (3, _TRUNCATE), (5, _DEVICES)):
        if offered >= since:
            files |= right
    network = _TCP if offered >= 4 else 0
    scoped = _SIGNALS_AND_SOCKETS if offered >= 6 else 0
    # Older kernels refuse a longer structure.
    attributes = struct.pack("QQQ", files, network, scoped)[
        : 24 if offered >= 6 else 16 if offered >= 4 else 8
    ]
    ruleset = _call(_CREATE, attributes, len(attributes), 0)
    try:
        write = _READ | _READ_FOLDER | _WRITE | _MAKE_FILE | _MAKE_FOLDER | _REMOVE | (_TRUNCATE & files)
        for paths, rights in ((readable, _READ | _READ_FOLDER), (writable, write)):
            for path in paths:
                _allow(ruleset, path, rights)
        _call(_RESTRICT, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not path.is_dir():
            rights &= _READ | _WRITE | _TRUNCATE
        _call(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", rights, place), 0)
    finally:
        os.close(place)


def _call(number: int, *arguments: object) -> int:
    result: int = _libc().syscall(number, *arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
