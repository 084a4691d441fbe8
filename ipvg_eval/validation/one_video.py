"""What is wrong inside one video."""

from __future__ import annotations

from pathlib import Path

from ipvg_eval.errors import VideoError
from ipvg_eval.findings import Finding
from ipvg_eval.submission import MemberError, Submission
from ipvg_eval.submission.paths import printable
from ipvg_eval.validation.header_rules import ENCODE, About, check_header
from ipvg_eval.validation.rules import VideoRules
from ipvg_eval.video import check_all_frames, probe

_HOPELESS = frozenset({"video-undecodable", "video-streams"})  # nothing there to decode


def check_video(
    submission: Submission, name: str, sample: str, rules: VideoRules, deep: bool
) -> list[Finding]:
    """Open a video and hold it against the rules.

    Args:
        submission: where it is.
        name: its path there.
        sample: id of its sample.
        rules: bounds.
        deep: decode every frame, and compare a packed member with its checksum.
    """
    about = About(path=printable(name), sample=sample)
    if submission.files[name] == 0:
        return [about.error("video-empty", "The file is empty.", "Export or copy the video again.")]
    try:
        with submission.open_stream(name) as stream:
            findings = check_header(probe(stream, name=name), about, rules)
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
