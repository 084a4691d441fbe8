"""The child's side: it limits itself, says hello, and answers one request after the other.

python -P -m MODULE LIMITS [SETTINGS ...]
"""

from __future__ import annotations

import os
import platform
import resource
import sys
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, TypeVar

from pydantic import BaseModel, TypeAdapter

from ipvg_eval.core.limits import ProcessLimits
from ipvg_eval.errors import VideoError
from ipvg_eval.sandbox.messages import Failed, Hello, Message

Request = TypeVar("Request", bound=Message)
Setting = TypeVar("Setting", bound=BaseModel)


def limits() -> ProcessLimits:
    """The limits that this process was started with."""
    return ProcessLimits.model_validate_json(sys.argv[1])


def setting(model: type[Setting]) -> Setting:
    """What else it was started with."""
    return model.model_validate_json(sys.argv[2])


def serve(
    requests: type[Request] | TypeAdapter[Request],
    handle: Callable[[Any], Message | None],
    *,
    versions: Mapping[str, str],
    file_size: int = 0,
) -> None:
    """Answer requests until stdin ends; a VideoError or too little memory is an answer too.

    Args:
        requests: what may be asked.
        handle: gives the answer to a request; None for none.
        versions: of the libraries that read the files.
        file_size: bytes that a file it writes may have.
    """
    bounds = limits()
    adapter: TypeAdapter[Any] = requests if isinstance(requests, TypeAdapter) else TypeAdapter(requests)
    answers = _Answers()
    _limit(bounds, file_size)
    answers.send(Hello(versions={"Python": platform.python_version(), **versions}))
    for line in sys.stdin.buffer:
        answer: Message | None
        try:
            answer = handle(adapter.validate_json(line))
        except VideoError as error:
            answer = Failed(message=error.message, hint=error.hint)
        except MemoryError:
            message = f"it needs more memory than the limit of {bounds.memory_mib} MiB"
            # What is taken is not given back reliably, and the next file must not pay for it.
            hint = "Lower the resolution, or raise the memory limit."
            answer = Failed(message=message, hint=hint, spent=True)
        if answer is not None:
            answers.send(answer)


def _limit(limits: ProcessLimits, file_size: int) -> None:
    """For good: memory, open files, sizes of files, no core file."""
    memory = limits.memory_mib * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits.open_files, limits.open_files))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))


class _Answers:
    """The stdout the process was started with; whatever libraries print from now on goes to stderr."""

    def __init__(self) -> None:
        self._file: BinaryIO = os.fdopen(os.dup(1), "wb", buffering=0)
        os.dup2(2, 1)

    def send(self, answer: Message) -> None:
        content = memoryview(answer.model_dump_json().encode() + b"\n")
        while content:
            content = content[self._file.write(content) :]
