"""The checking process: opens a submission by itself and looks at the videos it is asked about."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from ipvg_eval.sandbox.child import serve, setting
from ipvg_eval.submission import Submission, load_submission
from ipvg_eval.validation.messages import Check, Checked, Task
from ipvg_eval.validation.one_video import check_video
from ipvg_eval.video import decoder_version


class _Checker:
    def __init__(self, task: Task) -> None:
        self._task = task

    @cached_property
    def _whole(self) -> Submission:
        assert self._task.submission is not None
        return load_submission(Path(self._task.submission), limits=self._task.limits)

    def check(self, request: Check) -> Checked:
        """Look at a video."""
        copy = request.copy_at
        submission = self._whole if copy is None else load_submission(Path(copy).parent)
        findings = check_video(submission, request, self._task.rules, deep=self._task.deep)
        return Checked(findings=tuple(findings))


def main() -> None:
    """Serve requests; files it writes are copies of members, no larger than these may be."""
    task = setting(Task)
    serve(
        Check,
        _Checker(task).check,
        versions={"decoder": decoder_version()},
        file_size=task.limits.max_file_bytes,
    )


if __name__ == "__main__":
    main()
