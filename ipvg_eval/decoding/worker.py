"""The decoder process: reads requests from stdin, answers on the stdout it was started with.

    python -m ipvg_eval.decoding.worker LIMITS

It limits itself before the first file is opened: memory, open files, no core file, and no file may grow.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel

from ipvg_eval.decoding.limits import DecodeLimits
from ipvg_eval.decoding.messages import REQUEST, Batch, Decode, End, Failed, Open, Opened
from ipvg_eval.errors import VideoError
from ipvg_eval.video import FrameIndex, decode, index_frames

_BATCH_BYTES = 32 * 2**20


def main() -> None:
    """Serve requests until stdin ends."""
    limits = DecodeLimits.model_validate_json(sys.argv[1])
    answers = _own_stdout()
    _limit(limits)
    server = _Server(answers, limits)
    for line in sys.stdin.buffer:
        server.serve(line)


def _own_stdout() -> BinaryIO:
    """The stdout of the start; whatever libraries print from now on goes to stderr."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return answers


def _limit(limits: DecodeLimits) -> None:
    memory = limits.memory_mib * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits.open_files, limits.open_files))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


class _Server:
    def __init__(self, answers: BinaryIO, limits: DecodeLimits) -> None:
        self._answers = answers
        self._limits = limits
        self._path = Path()
        self._index: FrameIndex | None = None

    def serve(self, line: bytes) -> None:
        try:
            request = REQUEST.validate_json(line)
            for answer, content in (
                self._open(request) if isinstance(request, Open) else self._decode(request)
            ):
                self._send(answer, content)
        except VideoError as error:
            self._send(Failed(message=error.message, hint=error.hint))
        except MemoryError:
            message = f"it needs more memory than the limit of {self._limits.memory_mib} MiB"
            self._send(Failed(message=message, hint="Lower the resolution, or raise --decoder-memory."))

    def _open(self, request: Open) -> Iterator[tuple[BaseModel, memoryview | None]]:
        self._path = Path(request.path)
        self._index = index_frames(self._path, time_limit=self._limits.seconds)
        clip = self._index.clip
        yield (
            Opened(
                codec=self._index.header.codec,
                width=clip.width,
                height=clip.height,
                fps=clip.fps,
                duration=clip.duration,
                times=clip.times,
            ),
            None,
        )

    def _decode(self, request: Decode) -> Iterator[tuple[BaseModel, memoryview | None]]:
        assert self._index is not None
        with decode(
            self._path,
            request.indices,
            index=self._index,
            batch_bytes=_BATCH_BYTES,
            time_limit=self._limits.seconds,
        ) as decoding:
            for batch in decoding:
                _, height, width, _ = batch.frames.shape
                yield Batch(indices=batch.indices, height=height, width=width), batch.frames.data
            yield End(damage=decoding.damage, note=decoding.note), None

    def _send(self, answer: BaseModel, content: memoryview | None = None) -> None:
        _write(self._answers, memoryview(answer.model_dump_json().encode() + b"\n"))
        if content is not None:
            _write(self._answers, content.cast("B"))


def _write(file: BinaryIO, content: memoryview) -> None:
    while content:
        content = content[file.write(content) :]


if __name__ == "__main__":
    main()
