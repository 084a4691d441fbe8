"""The process that makes clips: a request a line on stdin, an answer a line on stdout.

python -P -m ipvg_eval.clips.worker LIMITS
"""

from __future__ import annotations

import errno
import sys
from dataclasses import asdict
from pathlib import Path

import av
from pydantic import TypeAdapter

from ipvg_eval.clips.messages import LARGEST_CLIP, Encode, Failed, Look, Made, Pad, Request, Seen
from ipvg_eval.core.limits import ProcessLimits
from ipvg_eval.leaderboard.study import clips
from ipvg_eval.leaderboard.study.errors import StudyError
from ipvg_eval.sandbox.confine import Answers, confine


def main() -> None:
    """Serve requests until stdin ends."""
    limits = ProcessLimits.model_validate_json(sys.argv[1])
    requests: TypeAdapter[Look | Encode | Pad] = TypeAdapter(Request)
    answers = Answers()
    confine(limits, file_size=LARGEST_CLIP)
    for line in sys.stdin.buffer:
        try:
            answers.send(_done(requests.validate_json(line)))
        except MemoryError:
            answers.send(Failed(message=f"it needs more memory than the limit of {limits.memory_mib} MiB"))
        except (av.FFmpegError, OSError) as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            answers.send(Made(sizes=None) if full else Failed(message=error.strerror or str(error)))
        except (StudyError, ValueError) as error:
            answers.send(Failed(message=str(error)))


def _done(request: Look | Encode | Pad) -> Seen | Made:
    source = Path(request.source)
    if isinstance(request, Look):
        return Seen(**asdict(clips.look(source)))
    if isinstance(request, Encode):
        shape = clips.Shape(**request.model_dump(include={"width", "height", "rate", "count", "sound"}))
        return Made(sizes=tuple(clips.encode(source, Path(request.target), shape, request.spoil)))
    clips.pad(source, Path(request.target), request.sizes)
    return Made(sizes=())


if __name__ == "__main__":
    main()
