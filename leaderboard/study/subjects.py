"""What a study is made of: samples, and teams with their videos."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

OpenVideo = Callable[[], AbstractContextManager[Path]]


@dataclass(frozen=True, kw_only=True)
class StudyPicture:
    """A reference picture.

    Attributes:
        path: a file that Pillow reads.
        label: what it shows ("man", "ball", ...); empty if the test set does not say.
    """

    path: Path
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class StudySample:
    """What every team made a video of.

    Attributes:
        id: unique name; stays in the database.
        identity: which samples share their references.
        prompt: shown to the annotator.
        timeline: what should happen when; empty if the sample has none. Shown where it differs from the
            prompt.
        references: shown to the annotator, at least one.
    """

    id: str
    identity: str
    prompt: str
    references: tuple[StudyPicture, ...]
    timeline: str = ""


@dataclass(frozen=True, kw_only=True)
class StudyTeam:
    """A finalist.

    Attributes:
        name: stays in the database.
        videos: sample id -> a function that opens the video as a file while it is needed. Samples without a
            video are left out.
        absent: sample id -> why there is no video, where something is known about it.
    """

    name: str
    videos: Mapping[str, OpenVideo]
    absent: Mapping[str, str]
