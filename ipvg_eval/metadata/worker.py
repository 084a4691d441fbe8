"""The process that reads metadata: a request a line on stdin, an answer a line on stdout.

python -P -m ipvg_eval.metadata.worker LIMITS
"""

from __future__ import annotations

import sys
from pathlib import Path

from ipvg_eval.core.limits import ProcessLimits
from ipvg_eval.errors import VideoError
from ipvg_eval.metadata.messages import Read, Texts
from ipvg_eval.metadata.reading import read_texts
from ipvg_eval.sandbox.confine import Answers, confine


def main() -> None:
    """Serve requests until stdin ends."""
    limits = ProcessLimits.model_validate_json(sys.argv[1])
    answers = Answers()
    confine(limits)
    for line in sys.stdin.buffer:
        request = Read.model_validate_json(line)
        try:
            answers.send(Texts(texts=read_texts(Path(request.path))))
        except VideoError as error:
            answers.send(Texts(problem=error.message))
        except MemoryError:
            answers.send(Texts(problem=f"it needs more memory than the limit of {limits.memory_mib} MiB"))


if __name__ == "__main__":
    main()
