"""What is wrong inside one video."""

from __future__ import annotations

from pathlib import Path

from ipvg_eval.core.printable import printable
from ipvg_eval.errors import VideoError
from ipvg_eval.findings import Finding
from ipvg_eval.submission import MemberError, Submission
from ipvg_eval.validation.header_rules import ENCODE, About, check_header
from ipvg_eval.validation.messages import Check
from ipvg_eval.validation.rules import VideoRules
from ipvg_eval.validation.timeline_rules import check_timeline
from ipvg_eval.video import check_all_frames, probe

_HOPELESS = frozenset({"video-undecodable", "video-streams"})  # nothing there to decode


def check_video(submission: Submission, request: Check, rules: VideoRules, *, deep: bool) -> list[Finding]:
    """Open a video and hold it against the rules and its timeline.

    Args:
        submission: where it, or the copy of it, is.
        request: which video.
        rules: bounds.
        deep: decode every frame, and compare a packed member with its checksum.
    """
    about = About(path=printable(request.name), sample=request.sample)
    name = request.name if request.copy_at is None else Path(request.copy_at).name
    if submission.files[name] == 0:
        return [about.error("video-empty", "The file is empty.", "Export or copy the video again.")]
    try:
        with submission.open_stream(name) as stream:
            header = probe(stream, name=request.name)
        findings = [*check_header(header, about, rules), *check_timeline(header, request.timeline, about)]
        if deep and not any(finding.code in _HOPELESS for finding in findings):
            with submission.open_video(name) as path:
                findings.extend(_check_frames(path, about))
    except MemberError as error:
        return [about.error(error.code, f"The file {error.message}.", error.hint or ENCODE)]
    except VideoError as error:
        text = f"It cannot be read as a video: {error.message}."
        return [about.error("video-unreadable", text, error.hint or ENCODE)]
    return findings


def _check_frames(path: Path, about: About) -> list[Finding]:
    try:
        check = check_all_frames(path)
    except VideoError as error:
        return [about.error("video-damaged", f"It cannot be decoded: {error.message}.", error.hint or ENCODE)]
    if check.first_bad_time is None:
        return []
    text = f"The first bad frame is at {check.first_bad_time:.3f} s: {check.reason}."
    return [about.error("video-damaged", text, "Export or copy it again.")]
