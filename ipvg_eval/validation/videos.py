"""Opening every video, several at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from ipvg_eval.errors import VideoError
from ipvg_eval.findings import Finding
from ipvg_eval.submission import MemberError, Submission
from ipvg_eval.submission.paths import printable
from ipvg_eval.validation.header_rules import ENCODE, About, check_header
from ipvg_eval.validation.rules import VideoRules
from ipvg_eval.video import check_all_frames, probe

Progress = Callable[[int, int], None]
_MAX_THREADS = 8
_HOPELESS = frozenset({"video-undecodable", "video-streams"})  # nothing there to decode


def check_videos(
    submission: Submission,
    sample_of: Mapping[str, str],
    *,
    rules: VideoRules,
    deep: bool,
    progress: Progress | None,
) -> list[Finding]:
    """What is wrong inside the videos, in their order.

    Args:
        submission: where they are.
        sample_of: id of the sample by the path of each video to open.
        rules: bounds.
        deep: decode every frame, and compare packed members with their checksums.
        progress: told (done, total) from this thread.
    """
    found: dict[str, list[Finding]] = {}
    total = len(sample_of)
    pool = ThreadPoolExecutor(min(_MAX_THREADS, os.cpu_count() or 1))
    try:
        jobs = {pool.submit(_check, submission, n, s, rules, deep): n for n, s in sample_of.items()}
        for done, job in enumerate(as_completed(jobs), start=1):
            found[jobs[job]] = job.result()
            if progress is not None:
                progress(done, total)
    finally:
        # After an interruption nothing that has not begun yet is begun.
        pool.shutdown(cancel_futures=True)
    return [finding for name in sample_of for finding in found[name]]


def _check(submission: Submission, name: str, sample: str, rules: VideoRules, deep: bool) -> list[Finding]:
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
        text = f"It cannot be read as a video: {str(error).removeprefix(f'{name}: ')}."
        return [about.error("video-unreadable", text, error.hint or ENCODE)]
    return findings


def _check_frames(path: Path, about: About) -> list[Finding]:
    try:
        check = check_all_frames(path)
    except VideoError as error:
        text = f"It cannot be decoded: {str(error).removeprefix(f'{path}: ')}."
        return [about.error("video-damaged", text, error.hint or ENCODE)]
    if check.first_bad_time is None:
        return []
    text = f"The first bad frame is at {check.first_bad_time:.3f} s: {check.reason}."
    return [about.error("video-damaged", text, "Export or copy it again.")]
