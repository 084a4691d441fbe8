"""The name of the zip itself, and the track it speaks of."""

from __future__ import annotations

from difflib import SequenceMatcher

from ipvg_eval.core.printable import printable
from ipvg_eval.findings import Finding, Severity
from ipvg_eval.submission import Kind, Submission
from ipvg_eval.testset import Track

ARCHIVE_NAMES = {Track.FACIAL: "facial_results.zip", Track.SEQUENTIAL: "sequential_action_results.zip"}
_NEAR = 0.7


def track_of_name(submission: Submission) -> Track | None:
    """The track whose zip name this is, near misses included, or None."""
    if submission.kind is not Kind.ZIP:
        return None
    name = submission.path.name.lower()
    scores = {track: SequenceMatcher(None, name, right).ratio() for track, right in ARCHIVE_NAMES.items()}
    best = max(scores, key=lambda track: scores[track])
    return best if scores[best] >= _NEAR else None


def check_archive_name(submission: Submission, track: Track | None) -> list[Finding]:
    """A finding if a zip is not named as the rules ask.

    Args:
        submission: folders have no prescribed name, nor have zips of talking heads.
        track: the track, if known; otherwise either track's name is right.
    """
    name = submission.path.name
    if submission.kind is not Kind.ZIP or (track is not None and track not in ARCHIVE_NAMES):
        return []
    right = [ARCHIVE_NAMES[track]] if track is not None else list(ARCHIVE_NAMES.values())
    if name in right:
        return []
    expected = " or ".join(right)
    if name in ARCHIVE_NAMES.values():
        message = f"This is the other track's name; the {track} track's zip is named {expected}."
    elif name.lower() in right:
        message = "Upper and lower case of the zip's name are wrong."
    else:
        message = "The zip is not named as the rules ask."
    return [
        Finding(
            code="zip-name",
            severity=Severity.ERROR,
            path=printable(name),
            message=message,
            action=f"Rename it to {expected}.",
        )
    ]
