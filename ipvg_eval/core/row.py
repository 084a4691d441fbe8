"""The durable row of one sample."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from ipvg_eval.core.measurement import Box, Measurement


class Status(StrEnum):
    """How far the measuring of a sample came."""

    SCORED = "scored"
    MISSING = "missing"
    UNDECODABLE = "undecodable"
    CRASHED = "crashed"


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class MeasurementRow(_Row):
    """One measurement of a sample.

    Attributes:
        name: metric.
        value: the number, or None.
        reason: why there is none.
        note: what a reader must know about the number.
        frame_indices: frames the per-frame values belong to, ascending.
        frame_values: one value per index, None where the frame has none.
        frame_boxes: where in each frame the measured face was found, None where there was none; left, top,
            right, bottom as shares of the frame. Empty for measurements of whole frames.
        broken: whether the code that measures it broke; it may come out another time.
    """

    name: str
    value: float | None
    reason: str | None = None
    note: str | None = None
    frame_indices: tuple[int, ...] = ()
    frame_values: tuple[float | None, ...] = ()
    frame_boxes: tuple[Box | None, ...] = ()
    broken: bool = False

    @model_validator(mode="after")
    def _one_value_per_frame(self) -> Self:
        if len(self.frame_indices) != len(self.frame_values):
            raise ValueError(f"{len(self.frame_indices)} frames for {len(self.frame_values)} values")
        if len(self.frame_boxes) not in (0, len(self.frame_indices)):
            raise ValueError(f"{len(self.frame_indices)} frames for {len(self.frame_boxes)} boxes")
        return self

    @classmethod
    def of(cls, measurement: Measurement) -> MeasurementRow:
        """The row of a measurement; its features are kept elsewhere."""
        frames = measurement.per_frame
        return cls(
            name=measurement.name,
            value=measurement.value,
            reason=measurement.reason,
            note=measurement.note,
            frame_indices=frames.indices if frames else (),
            frame_values=frames.values if frames else (),
            frame_boxes=frames.boxes if frames else (),
            broken=measurement.broken,
        )


class VideoFacts(_Row):
    """What was found about a decoded video. Size in pixels after rotation, times in seconds."""

    frame_count: int
    width: int
    height: int
    fps: float
    duration: float
    codec: str | None


class SampleRow(_Row):
    """Everything a run keeps about one sample.

    Attributes:
        sample: sample id.
        identity: identity the sample shares with others.
        video: the video's path in the submission.
        video_sha256: hash of the measured file, None where there is none.
        status: how far it came.
        reason: why it was not scored, None if it was.
        damage: why part of the video did not decode, None if all of it did.
        note: what a reader must know about the video, None for nothing.
        timeline: what should happen when, as the test set says it; None for a sample without a timeline.
        facts: the video's size and length, None if it did not open.
        measurements: one per metric of the protocol.
        frame_times: presentation time in seconds of every frame that has a value.
        seconds: wall time the sample took; the only field that differs between equal runs.
    """

    sample: str
    identity: str
    video: str
    video_sha256: str | None
    status: Status
    reason: str | None = None
    damage: str | None = None
    note: str | None = None
    timeline: str | None = None
    facts: VideoFacts | None = None
    measurements: tuple[MeasurementRow, ...]
    frame_times: dict[int, float] = {}
    seconds: float

    @property
    def pixels(self) -> int:
        """Of all frames of the video together; 0 if it did not open."""
        facts = self.facts
        return 0 if facts is None else facts.width * facts.height * facts.frame_count

    @property
    def finished(self) -> bool:
        """Whether measuring the same file again would only repeat this row."""
        return self.status is not Status.CRASHED and not self.broken

    @property
    def broken(self) -> tuple[MeasurementRow, ...]:
        """The measurements whose code broke, where the sample was scored all the same."""
        return tuple(measurement for measurement in self.measurements if measurement.broken)
