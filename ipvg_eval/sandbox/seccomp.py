"""A filter of system calls for a process that reads strangers' files; Linux on x86-64 and 64-bit ARM.

It names what is refused (with EPERM), not what is allowed: a call that a newer C library makes and this list
does not know must not turn a good video into one that cannot be read. Files and ports are Landlock's business
too; the list holds what Landlock leaves open (processes, debugging, modes and owners, other sockets, kernel
interfaces), and the ways to change files for kernels without it.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from collections.abc import Mapping

_X86, _ARM = "x86_64", "aarch64"
_AUDIT = {_X86: 0xC000003E, _ARM: 0xC00000B7}

# name: (number on x86-64, number on 64-bit ARM); None where it does not exist
NEVER: dict[str, tuple[int | None, int | None]] = {
    "execve": (59, 221), "execveat": (322, 281), "fork": (57, None), "vfork": (58, None),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424), "pidfd_getfd": (438, 438),
    "kcmp": (312, 272), "tkill": (200, 130), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203),
    "bind": (49, 200), "listen": (50, 201), "accept": (43, 202), "accept4": (288, 242),
    "sendto": (44, 206), "sendmsg": (46, 211), "sendmmsg": (307, 269), "chmod": (90, None),
    "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, None),
    "lchown": (94, None), "fchown": (93, 55), "fchownat": (260, 54), "setxattr": (188, 5),
    "lsetxattr": (189, 6), "fsetxattr": (190, 7), "removexattr": (197, 14), "lremovexattr": (198, 15),
    "fremovexattr": (199, 16), "utime": (132, None), "utimes": (235, None), "futimesat": (261, None),
    "utimensat": (280, 88), "link": (86, None), "linkat": (265, 37), "symlink": (88, None),
    "symlinkat": (266, 36), "mknod": (133, None), "mknodat": (259, 33), "chroot": (161, 51),
    "pivot_root": (155, 41), "mount": (165, 40), "umount2": (166, 39), "move_mount": (429, 429),
    "open_tree": (428, 428), "fsopen": (430, 430), "fsmount": (432, 432), "mount_setattr": (442, 442),
    "setns": (308, 268), "unshare": (272, 97), "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "keyctl": (250, 219), "add_key": (248, 217),
    "request_key": (249, 218), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "kexec_load": (246, 104), "kexec_file_load": (320, 294),
    "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225), "settimeofday": (164, 170),
    "clock_settime": (227, 112), "sethostname": (170, 161), "setdomainname": (171, 162),
    "iopl": (172, None), "ioperm": (173, None), "modify_ldt": (154, None), "shmget": (29, 194),
    "msgget": (68, 186), "semget": (64, 190), "mq_open": (240, 180), "openat2": (437, 437),
}  # fmt: skip
CHANGES: dict[str, tuple[int | None, int | None]] = {
    "truncate": (76, 45), "creat": (85, None), "unlink": (87, None), "unlinkat": (263, 35),
    "rename": (82, None), "renameat": (264, 38), "renameat2": (316, 276), "mkdir": (83, None),
    "mkdirat": (258, 34), "rmdir": (84, None),
}  # fmt: skip
"""Refused to a process that writes no file."""

_OPEN = {"open": (2, None), "openat": (257, 56)}
_CLONE, _CLONE3 = (56, 220), (435, 435)
_TO_ITSELF = {"kill": (62, 129), "tgkill": (234, 131)}
_PRLIMIT = (302, 261)

_CLONE_THREAD = 0x10000
_CHANGING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_EPERM, _ENOSYS = 1, 38
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_LOAD, _EQUAL, _ANY_BIT, _AT_LEAST, _GIVE = 0x20, 0x15, 0x45, 0x35, 0x06
_SET_FILTER, _ALL_THREADS = 1, 1
_CALL = {_X86: 317, _ARM: 277}


def restrict(*, writes: bool) -> None:
    """Refuse these calls to every thread of this process, for good; `NO_NEW_PRIVS` must be set.

    Args:
        writes: let it create, change and remove files, where nothing else forbids it.

    Raises:
        OSError: the kernel refuses, or there is no list for this processor.
    """
    machine = platform.machine()
    if machine not in _AUDIT:
        raise OSError(_ENOSYS, f"no list for {machine}")
    code = b"".join(program(machine, writes=writes, pid=os.getpid()))
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(_CALL[machine], _SET_FILTER, _ALL_THREADS, header) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def program(machine: str, *, writes: bool, pid: int) -> list[bytes]:
    """The filter, an instruction each."""
    column = (_X86, _ARM).index(machine)

    def numbers(calls: Mapping[str, tuple[int | None, int | None]]) -> list[int]:
        return [number for both in calls.values() if (number := both[column]) is not None]

    refuse, absent, allow = (
        _instruction(_GIVE, value) for value in (_ERRNO | _EPERM, _ERRNO | _ENOSYS, _ALLOW)
    )
    lines = [_word(4), _instruction(_EQUAL, _AUDIT[machine], 1, 0), refuse, _word(0)]
    if machine == _X86:
        lines += [_instruction(_AT_LEAST, 0x40000000, 0, 1), refuse]  # the x32 names of the same calls
    for number in [*numbers(NEVER), *([] if writes else numbers(CHANGES))]:
        lines += [_instruction(_EQUAL, number, 0, 1), refuse]
    # Its flags are out of a filter's reach; C libraries then fall back to `clone`.
    lines += [_instruction(_EQUAL, _CLONE3[column], 0, 1), absent]
    lines += _when(_CLONE[column], _argument(0), _instruction(_ANY_BIT, _CLONE_THREAD, 1, 0), refuse, allow)
    for number in numbers(_TO_ITSELF):
        lines += _when(number, _argument(0), _instruction(_EQUAL, pid, 1, 0), refuse, allow)
    other = [_instruction(_EQUAL, 0, 2, 0), _instruction(_EQUAL, pid, 1, 0)]
    lines += _when(_PRLIMIT[column], _argument(0), *other, refuse, allow)
    if not writes:
        for number in numbers(_OPEN):
            flags = _argument(1 if number == _OPEN["open"][0] and machine == _X86 else 2)
            lines += _when(number, flags, _instruction(_ANY_BIT, _CHANGING, 0, 1), refuse, allow)
    return [*lines, allow]


def _when(number: int, *block: bytes) -> list[bytes]:
    return [_instruction(_EQUAL, number, 0, len(block)), *block]


def _argument(position: int) -> bytes:
    return _word(16 + 8 * position)  # the lower half


def _word(offset: int) -> bytes:
    return _instruction(_LOAD, offset)


def _instruction(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("HBBI", code, then, otherwise, value)
