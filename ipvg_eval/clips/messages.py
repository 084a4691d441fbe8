"""What is asked of the process that makes clips, and what it answers."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

LARGEST_CLIP = 2**30
"""Bytes that a file of the process may have."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Make(_Message):
    """Make a clip; see `ipvg_eval.leaderboard.study.clips.anonymous_clip`."""

    source: str
    target: str
    forbidden: tuple[str, ...]


class Made(_Message):
    """The clip's length in seconds, or why there is none; `full` where the disk is."""

    seconds: Annotated[float, Field(ge=0)] | None = None
    problem: str | None = None
    full: bool = False
