"""The checking process: opens a submission by itself and looks at the videos it is asked about.

python -P -m ipvg_eval.validation.worker LIMITS TASK
"""

from __future__ import annotations

import sys
from pathlib import Path

from ipvg_eval.core.limits import ProcessLimits
from ipvg_eval.findings import Finding
from ipvg_eval.sandbox.confine import Answers, confine
from ipvg_eval.submission import load_submission
from ipvg_eval.validation.header_rules import About
from ipvg_eval.validation.messages import Check, Checked, Task
from ipvg_eval.validation.one_video import check_video


def main() -> None:
    """Serve requests until stdin ends; files it writes are copies of members, no larger than these may be."""
    limits = ProcessLimits.model_validate_json(sys.argv[1])
    task = Task.model_validate_json(sys.argv[2])
    answers = Answers()
    confine(limits, file_size=task.limits.max_file_bytes)
    whole = None if task.submission is None else load_submission(Path(task.submission), limits=task.limits)
    for line in sys.stdin.buffer:
        request = Check.model_validate_json(line)
        try:
            submission = whole if request.copy_at is None else load_submission(Path(request.copy_at).parent)
            assert submission is not None
            findings = check_video(submission, request, task.rules, deep=task.deep)
        except MemoryError:
            findings = [_too_large(request, limits)]
        answers.send(Checked(findings=tuple(findings)))


def _too_large(request: Check, limits: ProcessLimits) -> Finding:
    return About(path=request.name, sample=request.sample).error(
        "video-unreadable",
        f"Reading it needs more memory than the limit of {limits.memory_mib} MiB.",
        "Lower the resolution.",
    )


if __name__ == "__main__":
    main()
