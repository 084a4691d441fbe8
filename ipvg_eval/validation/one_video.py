"""What is wrong inside one video."""

from __future__ import annotations

import io
from typing import BinaryIO

from ipvg_eval.core.limits import ProcessLimits
from ipvg_eval.core.printable import printable
from ipvg_eval.core.sound import NoSound, Sound
from ipvg_eval.errors import VideoError
from ipvg_eval.findings import Finding
from ipvg_eval.submission.member import Slice
from ipvg_eval.validation.header_rules import ENCODE, About, check_header
from ipvg_eval.validation.messages import Check
from ipvg_eval.validation.rules import VideoRules
from ipvg_eval.validation.sound_rules import check_sound
from ipvg_eval.validation.timeline_rules import check_timeline
from ipvg_eval.video import check_all_frames, probe

_HOPELESS = frozenset({"video-undecodable", "video-streams"})  # nothing there to decode


def check_video(
    file: BinaryIO,
    request: Check,
    rules: VideoRules,
    *,
    deep: bool,
    limits: ProcessLimits,
    driving: Sound | NoSound | None = None,
) -> list[Finding]:
    """Open a video and hold it against the rules and its timeline.

    Args:
        file: what the video lies in.
        request: which video.
        rules: bounds.
        deep: decode every frame.
        limits: bounds on its pictures and on the time.
        driving: the sound it is to be driven with; None where it is no talking head.
    """
    about = About(path=printable(request.name), sample=request.sample)
    stream = file if request.part is None else io.BufferedReader(Slice(file, *request.part), 1 << 16)
    try:
        header = probe(stream, name=request.name, max_pixels=limits.max_pixels)
    except VideoError as error:
        text = f"It cannot be read as a video: {error.message}."
        return [about.error("video-unreadable", text, error.hint or ENCODE)]
    findings = [*check_header(header, about, rules), *check_timeline(header, request.timeline, about)]
    if driving is not None and header.video_streams:
        findings.extend(check_sound(stream, header, driving, about, limits.seconds))
    if deep and not any(finding.code in _HOPELESS for finding in findings):
        findings.extend(_check_frames(file, about, limits))
    return findings


def _check_frames(file: BinaryIO, about: About, limits: ProcessLimits) -> list[Finding]:
    try:
        check = check_all_frames(file, time_limit=limits.seconds, max_pixels=limits.max_pixels)
    except VideoError as error:
        return [about.error("video-damaged", f"It cannot be decoded: {error.message}.", error.hint or ENCODE)]
    if check.first_bad_time is None:
        return []
    text = f"The first bad frame is at {check.first_bad_time:.3f} s: {check.reason}."
    return [about.error("video-damaged", text, "Export or copy it again.")]
