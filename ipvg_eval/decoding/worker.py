"""The decoder process: reads requests from stdin, answers on stdout.

python -m ipvg_eval.decoding.worker LIMITS
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from ipvg_eval.decoding.messages import REQUEST, Batch, Decode, End, Failed, Open, Opened
from ipvg_eval.errors import VideoError
from ipvg_eval.sandbox.confine import Answers, confine
from ipvg_eval.sandbox.limits import ProcessLimits
from ipvg_eval.video import FrameIndex, decode, index_frames

_BATCH_BYTES = 32 * 2**20


def main() -> None:
    """Serve requests until stdin ends; the process limits itself before the first file is opened."""
    limits = ProcessLimits.model_validate_json(sys.argv[1])
    answers = Answers()
    confine(limits)
    decoder = _Decoder(limits)
    for line in sys.stdin.buffer:
        try:
            for answer, content in decoder.answers(line):
                answers.send(answer, content)
        except VideoError as error:
            answers.send(Failed(message=error.message, hint=error.hint))
        except MemoryError:
            message = f"it needs more memory than the limit of {limits.memory_mib} MiB"
            answers.send(Failed(message=message, hint="Lower the resolution, or raise the memory limit."))


class _Decoder:
    def __init__(self, limits: ProcessLimits) -> None:
        self._seconds = limits.seconds
        self._path = Path()
        self._index: FrameIndex | None = None

    def answers(self, line: bytes) -> Iterator[tuple[BaseModel, memoryview | None]]:
        """What to answer to a request, each with the bytes that follow."""
        request = REQUEST.validate_json(line)
        if isinstance(request, Open):
            yield self._open(request), None
        else:
            yield from self._decode(request)

    def _open(self, request: Open) -> Opened:
        self._path = Path(request.path)
        self._index = index_frames(self._path, time_limit=self._seconds)
        clip = self._index.clip
        return Opened(
            codec=self._index.header.codec,
            width=clip.width,
            height=clip.height,
            fps=clip.fps,
            duration=clip.duration,
            times=clip.times,
        )

    def _decode(self, request: Decode) -> Iterator[tuple[BaseModel, memoryview | None]]:
        assert self._index is not None
        with decode(
            self._path,
            request.indices,
            index=self._index,
            batch_bytes=_BATCH_BYTES,
            time_limit=self._seconds,
        ) as decoding:
            for batch in decoding:
                _, height, width, _ = batch.frames.shape
                yield Batch(indices=batch.indices, height=height, width=width), batch.frames.data
            yield End(damage=decoding.damage, note=decoding.note), None


if __name__ == "__main__":
    main()
