"""VideoScore on one video."""

from __future__ import annotations

from typing import Final

import numpy as np

from ipvg_eval.core.measurement import Frames, Measurement
from ipvg_eval.metrics.evaluator import NO_FRAME
from ipvg_eval.metrics.sampling import schedule
from ipvg_eval.metrics.timeline.video_score.network import VideoScore
from ipvg_eval.metrics.timeline.video_score.query import holds_control_tokens
from ipvg_eval.metrics.timeline.video_score.spec import VIDEO_SCORES

MOST_FRAMES: Final = 16
"""What the published VideoScore looks at (benchmark/eval_videoscore.py line 20 @8e44973)."""


def video_score_frames(frame_count: int, limit: int = MOST_FRAMES) -> tuple[int, ...]:
    """Indices floor(i N / 16); all frames of a video that has no more.

    Source: examples/run_videoscore.py lines 70-74 @8e44973.

    Args:
        frame_count: frames of the video, N.
        limit: look at no more than this, where it is less than 16.
    """
    most = min(limit, MOST_FRAMES)
    if frame_count <= most:
        return tuple(range(frame_count))
    return tuple(schedule("floor", frame_count, most))


class VideoScorePass:
    """Keeps the frames of one video, at most 16 of at most 980 pixels a side, until they are scored."""

    def __init__(self, network: VideoScore, *, prompt: str, wanted: tuple[int, ...]) -> None:
        self._network = network
        self._prompt = prompt
        self._wanted = frozenset(wanted)
        self._frames: list[Frames] = []

    def add(self, index: int, frame: Frames) -> None:
        """Take the next frame, valid during the call only."""
        if index in self._wanted:
            self._frames.append(self._network.shrink(frame))

    def finish(self) -> list[Measurement]:
        """One measurement per spec of `ipvg_eval.metrics.timeline.video_score.spec`."""
        if reason := self._reason():
            return missing(reason)
        values = self._network.scores(self._frames, self._prompt)
        if not np.isfinite(values).all():
            return missing("VideoScore's output is not finite")
        read, wanted = len(self._frames), len(self._wanted)
        note = f"{read} of {wanted} frames could be read" if read < wanted else None
        return [
            Measurement(name=spec.name, value=float(value), note=note)
            for spec, value in zip(VIDEO_SCORES, values, strict=True)
        ]

    def _reason(self) -> str | None:
        if not self._frames:
            return NO_FRAME
        if not self._prompt.strip():
            return "the prompt is empty"
        if holds_control_tokens(self._prompt):
            return "the prompt holds text that VideoScore reads as a frame"
        return None


def missing(reason: str) -> list[Measurement]:
    """All five without a value."""
    return [Measurement(name=spec.name, value=None, reason=reason) for spec in VIDEO_SCORES]
