"""What is asked of the process that makes clips, and what it answers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

LARGEST_CLIP = 2**30
"""Bytes that a file of the process may have."""

_Side = Annotated[int, Field(ge=2, le=1 << 20)]
_Sizes = tuple[Annotated[int, Field(ge=0, le=LARGEST_CLIP)], ...]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Look(_Message):
    """See `ipvg_eval.leaderboard.study.clips.look`."""

    kind: Literal["look"] = "look"
    source: str


class Encode(_Message):
    """See `ipvg_eval.leaderboard.study.clips.encode`."""

    kind: Literal["encode"] = "encode"
    source: str
    target: str
    width: int
    height: int
    rate: int
    count: int
    sound: bool
    spoil: int | None


class Pad(_Message):
    """See `ipvg_eval.leaderboard.study.clips.pad`."""

    kind: Literal["pad"] = "pad"
    source: str
    target: str
    sizes: _Sizes


Request = Annotated[Look | Encode | Pad, Field(discriminator="kind")]


class Seen(_Message):
    """What a player shows of the video."""

    kind: Literal["seen"] = "seen"
    width: _Side
    height: _Side
    rate: Annotated[float, Field(gt=0)]
    seconds: Annotated[float, Field(gt=0, le=1000)]
    sound: bool


class Made(_Message):
    """The clip is written: bytes of each of its frames; empty after padding, None where the disk is full."""

    kind: Literal["made"] = "made"
    sizes: _Sizes | None


class Failed(_Message):
    """What was asked for cannot be had from this video."""

    kind: Literal["failed"] = "failed"
    message: str
