"""Looking at videos that other programs and servers have made: as `validate` does, in a confined process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipvg_eval.reference_generator.made_video import MadeVideo


@contextmanager
def closer_look() -> Iterator[Callable[[Path], MadeVideo]]:
    """A function that decodes every frame of a video and says what it is; processes begin with the first."""
    lock = threading.Lock()
    with ExitStack() as stack:
        looks: list[Callable[[Path], MadeVideo]] = []

        def look(path: Path) -> MadeVideo:
            with lock:
                if not looks:
                    looks.append(_begin(stack))
                return looks[0](path)

        yield look


def _begin(stack: ExitStack) -> Callable[[Path], MadeVideo]:
    from ipvg_eval.decoding.process import DecoderProcess
    from ipvg_eval.errors import VideoError
    from ipvg_eval.findings import Severity
    from ipvg_eval.reference_generator.errors import SystemFailed
    from ipvg_eval.reference_generator.made_video import MadeVideo
    from ipvg_eval.sandbox import open_file
    from ipvg_eval.validation.messages import Check, Task
    from ipvg_eval.validation.rules import VideoRules
    from ipvg_eval.validation.videos import CheckingProcess

    checker = stack.enter_context(CheckingProcess(Task(rules=VideoRules(), deep=True)))
    decoder = stack.enter_context(DecoderProcess())

    def look(path: Path) -> MadeVideo:
        try:
            with open_file(path) as file:
                findings = checker.check(Check(name="video.mp4", sample=""), file)
            wrong = [one.message for one in findings if one.severity is Severity.ERROR]
            if wrong:
                raise SystemFailed(f"what it made is no sound video: {' '.join(wrong)}")
            video = decoder.open(path)
            clip, last = video.clip, video.clip.frame_count - 1
            wanted = sorted({0, last // 2, last})
            stills = [frame.copy() for batch in video.batches(wanted) for frame in batch.frames]
        except VideoError as error:
            raise SystemFailed(f"what it made cannot be read as a video: {error.message}") from error
        return MadeVideo(
            width=clip.width, height=clip.height, fps=clip.fps, frames=clip.frame_count, stills=stills
        )

    return look
