"""The checking process: looks at the videos that it is handed."""

from __future__ import annotations

from typing import BinaryIO

from ipvg_eval.core.sound import NoSound, Sound
from ipvg_eval.sandbox.child import limits, serve, setting
from ipvg_eval.validation.messages import REQUEST, Check, Checked, Drive, Driven, Task
from ipvg_eval.validation.one_video import check_video
from ipvg_eval.video import decoder_version, read_sound

_UNHEARD = NoSound(reason="the driving sound could not be heard")


def main() -> None:
    """Serve requests."""
    task, bounds = setting(Task), limits()
    driving: Sound | NoSound = _UNHEARD

    def answer(request: Check | Drive, file: BinaryIO | None) -> Checked | Driven:
        nonlocal driving
        assert file is not None
        with file:  # a copy that is to be removed must not be open on Windows
            if isinstance(request, Drive):
                driving = read_sound(file, time_limit=bounds.seconds)
                return Driven(problem=driving.reason if isinstance(driving, NoSound) else None)
            sound = driving if request.driven else _UNHEARD
            found = check_video(
                file,
                request,
                task.rules,
                deep=task.deep,
                limits=bounds,
                driving=None if request.driven is None else sound,
            )
        return Checked(findings=tuple(found))

    serve(REQUEST, answer, versions={"decoder": decoder_version()})


if __name__ == "__main__":
    main()
