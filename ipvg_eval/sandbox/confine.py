"""The child's side: limits on itself, and an stdout that libraries cannot disturb."""

from __future__ import annotations

import os
import resource
from typing import BinaryIO

from pydantic import BaseModel

from ipvg_eval.core.limits import ProcessLimits


def confine(limits: ProcessLimits, *, file_size: int = 0) -> None:
    """Limit this process for good: memory, open files, no core file.

    Args:
        limits: what it may use.
        file_size: bytes that a file it writes may have.
    """
    memory = limits.memory_mib * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits.open_files, limits.open_files))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))


class Answers:
    """The stdout the process was started with; whatever libraries print from now on goes to stderr."""

    def __init__(self) -> None:
        self._file: BinaryIO = os.fdopen(os.dup(1), "wb", buffering=0)
        os.dup2(2, 1)

    def send(self, answer: BaseModel) -> None:
        """One line of JSON."""
        content = memoryview(answer.model_dump_json().encode() + b"\n")
        while content:
            content = content[self._file.write(content) :]
