"""The child's side: it confines itself, says hello, and answers one request after the other.

python -P -m MODULE LIMITS [SETTINGS]; see `handover` for stdin, over which a request's file comes too.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from pydantic import BaseModel, TypeAdapter

from ipvg_eval.core.limits import ProcessLimits
from ipvg_eval.errors import VideoError
from ipvg_eval.sandbox import handover
from ipvg_eval.sandbox.confine import confine, limit_cpu_time
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
    handle: Callable[[Any, BinaryIO | None], Message | None],
    *,
    versions: Mapping[str, str],
    writable: Sequence[Path] = (),
    file_size: int = 0,
) -> None:
    """Answer requests until there are no more.

    Whatever goes wrong with a file is an answer too; what is no VideoError also ends the use of this process.

    Args:
        requests: what may be asked.
        handle: gives the answer to a request and the file that came with it; None for none. The file is
            closed with the next one that comes.
        versions: of the libraries that read the files.
        writable: folders it may write in.
        file_size: bytes that a file in them may have.
    """
    bounds = limits()
    adapter: TypeAdapter[Any] = requests if isinstance(requests, TypeAdapter) else TypeAdapter(requests)
    answers = _Answers()
    confinement = confine(bounds, writable=writable, file_size=file_size)
    python = platform.python_version()
    answers.send(Hello(versions={"Python": python, **versions}, confinement=confinement))
    for line, file in handover.requests():
        # Four threads at most decode at a time.
        limit_cpu_time(4 * bounds.seconds)
        answer: Message | None
        try:
            if isinstance(file, VideoError):
                raise file
            answer = handle(adapter.validate_json(line), file)
        except VideoError as error:
            answer = Failed(message=error.message, hint=error.hint)
        except MemoryError:
            message = f"it needs more memory than the limit of {bounds.memory_mib} MiB"
            # What is taken is not given back reliably, and the next file must not pay for it.
            hint = "Lower the resolution, or raise the memory limit."
            answer = Failed(message=message, hint=hint, spent=True)
        except Exception as error:  # decoders of strangers' bytes raise whatever they like
            what = str(error).partition("\n")[0]
            answer = Failed(message=f"reading it fails ({type(error).__name__}: {what})", spent=True)
        if answer is not None:
            answers.send(answer)


class _Answers:
    """The stdout the process was started with; whatever libraries print from now on goes to stderr."""

    def __init__(self) -> None:
        self._file: BinaryIO = os.fdopen(os.dup(1), "wb", buffering=0)
        os.dup2(2, 1)

    def send(self, answer: Message) -> None:
        content = memoryview(answer.model_dump_json().encode() + b"\n")
        while content:
            content = content[self._file.write(content) :]
