"""From a video's length and what should happen in it to findings."""

from __future__ import annotations

from ipvg_eval.core.timeline import parse_timeline, video_problems
from ipvg_eval.findings import Finding
from ipvg_eval.validation.header_rules import About
from ipvg_eval.video import VideoHeader


def check_timeline(header: VideoHeader, timeline: str | None, about: About) -> list[Finding]:
    """Warnings for a video that is shorter than its timeline, or a timeline in another unit.

    What is wrong with the timeline alone is a finding of the test set.

    Args:
        header: of the video.
        timeline: as it stands in the test set, or None.
        about: the video.
    """
    if timeline is None or not header.duration or not header.fps:
        return []
    read = parse_timeline(timeline)
    if not read.events:
        return []
    found = video_problems(read, duration=header.duration, fps=header.fps)
    return [about.warning(problem.code, problem.message, problem.action) for problem in found]
