"""What the parent and a decoder process say to each other.

Requests and answers are one line of JSON; an answer may announce bytes that follow it. The parent checks
every answer: the process on the other side reads untrusted files and may have been taken over.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, TypeAdapter, model_validator

from metrics.evaluator import ClipInfo


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Open(_Message):
    """Look at a video."""

    kind: Literal["open"] = "open"
    path: str


class Decode(_Message):
    """Decode these frames of the video that was opened last."""

    kind: Literal["decode"] = "decode"
    indices: tuple[NonNegativeInt, ...]


class Opened(_Message):
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


class Batch(_Message):
    """Frames; count x height x width x 3 bytes follow."""

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
        """How many bytes follow."""
        return len(self.indices) * self.height * self.width * 3


class End(_Message):
    """All frames that decode have been sent."""

    kind: Literal["end"] = "end"
    damage: str | None
    note: str | None


class Failed(_Message):
    """The video cannot be opened, or none of the frames decodes."""

    kind: Literal["failed"] = "failed"
    message: str
    hint: str | None


Request = Annotated[Open | Decode, Field(discriminator="kind")]
Answer = Annotated[Opened | Batch | End | Failed, Field(discriminator="kind")]

REQUEST: TypeAdapter[Open | Decode] = TypeAdapter(Request)
ANSWER: TypeAdapter[Opened | Batch | End | Failed] = TypeAdapter(Answer)
