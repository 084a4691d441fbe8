"""The checking process: looks at the videos that it is handed."""

from __future__ import annotations

from typing import BinaryIO

from ipvg_eval.sandbox.child import limits, serve, setting
from ipvg_eval.validation.messages import Check, Checked, Task
from ipvg_eval.validation.one_video import check_video
from ipvg_eval.video import decoder_version


def main() -> None:
    """Serve requests."""
    task, bounds = setting(Task), limits()

    def check(request: Check, file: BinaryIO | None) -> Checked:
        assert file is not None
        with file:  # a copy that is to be removed must not be open on Windows
            found = check_video(file, request, task.rules, deep=task.deep, limits=bounds)
        return Checked(findings=tuple(found))

    serve(Check, check, versions={"decoder": decoder_version()})


if __name__ == "__main__":
    main()
