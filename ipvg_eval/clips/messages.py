"""What is asked of the process that makes clips, and what it answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from ipvg_eval.sandbox.messages import Message

LARGEST_CLIP = 2**30
"""Bytes that a file of the process may have."""


SOURCE, CLIP = "source", "clip.mp4"
"""Names of a video and of its clip in the folder that the process may read and write in."""


class Folder(Message):
    """Where it works."""

    path: Path


class Make(Message):
    """Make a clip of the video there; see `ipvg_eval.leaderboard.study.clips.anonymous_clip`."""

    forbidden: tuple[str, ...]


class Made(Message):
    """The clip's length in seconds; None where the disk is full."""

    kind: Literal["made"] = "made"
    seconds: Annotated[float, Field(ge=0)] | None
