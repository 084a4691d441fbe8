"""What the parent and a decoder process say to each other.

Frames come through shared memory. The parent checks every answer: the process on the other side reads
untrusted files and may have been taken over.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, TypeAdapter, model_validator

from ipvg_eval.core.measurement import ClipInfo
from ipvg_eval.sandbox.messages import Message

BATCH_BYTES = 32 * 2**20
"""Of the frames that come at a time, at most; one frame always comes."""


class Open(Message):
    """Look at the video whose file comes with this."""

    kind: Literal["open"] = "open"


class Memory(Message):
    """Where frames are written: a file descriptor that the decoder process inherits."""

    descriptor: NonNegativeInt


class Decode(Message):
    """Begin to decode these frames of the video that was opened last; nothing is answered yet."""

    kind: Literal["decode"] = "decode"
    indices: tuple[NonNegativeInt, ...]


class Fill(Message):
    """Write the next frames into this piece of the shared memory, and say which they are."""

    kind: Literal["fill"] = "fill"
    offset: NonNegativeInt
    size: PositiveInt


class Listen(Message):
    """Write the sound into this piece of the shared memory, and say what it is.

    The sound is that of the file that comes with this; or, where none does, of the video opened last.
    """

    kind: Literal["listen"] = "listen"
    offset: NonNegativeInt
    size: PositiveInt


class HeardSound(Message):
    """The sound is at the beginning of the piece, `count` samples of int16."""

    kind: Literal["sound"] = "sound"
    count: PositiveInt
    start: float
    channels: PositiveInt
    codec: str
    note: str | None


class Silent(Message):
    """There is no sound, and why."""

    kind: Literal["silent"] = "silent"
    reason: str


class Opened(Message):
    """The video can be decoded; what is known of it."""

    kind: Literal["opened"] = "opened"
    codec: str | None
    width: PositiveInt
    height: PositiveInt
    fps: float
    duration: float
    times: tuple[float, ...]

    @property
    def clip(self) -> ClipInfo:
        """The same, as evaluators are told."""
        return ClipInfo(
            frame_count=len(self.times),
            width=self.width,
            height=self.height,
            fps=self.fps,
            duration=self.duration,
            times=self.times,
        )


class Room(Message):
    """The next frames need a piece of so many bytes; ask again with one."""

    kind: Literal["room"] = "room"
    size: PositiveInt


class Batch(Message):
    """These frames are at the beginning of the piece, count x height x width x 3 bytes."""

    kind: Literal["batch"] = "batch"
    indices: Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)]
    height: PositiveInt
    width: PositiveInt

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if list(self.indices) != sorted(set(self.indices)):
            raise ValueError("frames out of order")
        return self

    @property
    def size(self) -> int:
        """How many bytes they take."""
        return len(self.indices) * self.height * self.width * 3


class End(Message):
    """All frames that decode have been sent."""

    kind: Literal["end"] = "end"
    damage: str | None
    note: str | None


Answer = Opened | Room | Batch | End | HeardSound | Silent
Request = Open | Decode | Fill | Listen
REQUEST: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="kind")])
