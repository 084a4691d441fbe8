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

_Side = Annotated[int, Field(ge=2, le=1 << 20)]
_Sizes = tuple[Annotated[int, Field(ge=0, le=LARGEST_CLIP)], ...]


class Folder(Message):
    """Where it works."""

    path: Path


class Look(Message):
    """See `ipvg_eval.leaderboard.study.clips.look`."""

    kind: Literal["look"] = "look"


class Encode(Message):
    """See `ipvg_eval.leaderboard.study.clips.encode`."""

    kind: Literal["encode"] = "encode"
    width: int
    height: int
    rate: int
    count: int
    sound: bool
    spoil: int | None


class Pad(Message):
    """See `ipvg_eval.leaderboard.study.clips.pad`."""

    kind: Literal["pad"] = "pad"
    sizes: _Sizes


Request = Annotated[Look | Encode | Pad, Field(discriminator="kind")]


class Seen(Message):
    """What a player shows of the video."""

    kind: Literal["seen"] = "seen"
    width: _Side
    height: _Side
    rate: Annotated[float, Field(gt=0)]
    seconds: Annotated[float, Field(gt=0, le=1000)]
    sound: bool


class Made(Message):
    """The clip is written: bytes of each of its frames; none after padding, None where the disk is full."""

    kind: Literal["made"] = "made"
    sizes: _Sizes | None
