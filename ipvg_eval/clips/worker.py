"""The process that makes clips: a request a line on stdin, an answer a line on stdout.

python -P -m ipvg_eval.clips.worker LIMITS
"""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import av

from ipvg_eval.clips.messages import LARGEST_CLIP, Made, Make
from ipvg_eval.core.limits import ProcessLimits
from ipvg_eval.leaderboard.study.clips import anonymous_clip
from ipvg_eval.leaderboard.study.errors import StudyError
from ipvg_eval.sandbox.confine import Answers, confine


def main() -> None:
    """Serve requests until stdin ends."""
    limits = ProcessLimits.model_validate_json(sys.argv[1])
    answers = Answers()
    confine(limits, file_size=LARGEST_CLIP)
    for line in sys.stdin.buffer:
        answers.send(_make(Make.model_validate_json(line), limits))


def _make(request: Make, limits: ProcessLimits) -> Made:
    try:
        seconds = anonymous_clip(Path(request.source), Path(request.target), forbidden=request.forbidden)
    except MemoryError:
        return Made(problem=f"it needs more memory than the limit of {limits.memory_mib} MiB")
    except (av.FFmpegError, OSError) as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        return Made(problem=error.strerror or str(error), full=full)
    except (StudyError, ValueError) as error:
        return Made(problem=str(error))
    return Made(seconds=seconds)


if __name__ == "__main__":
    main()
