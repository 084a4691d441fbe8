"""What is asked of the process that makes clips, and what it answers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ipvg_eval.sandbox.messages import Message

LARGEST_CLIP = 2**30
"""Bytes that a file of the process may have."""


class Make(Message):
    """Make a clip; see `ipvg_eval.leaderboard.study.clips.anonymous_clip`."""

    source: str
    target: str
    forbidden: tuple[str, ...]


class Made(Message):
    """The clip's length in seconds; None where the disk is full."""

    kind: Literal["made"] = "made"
    seconds: Annotated[float, Field(ge=0)] | None
