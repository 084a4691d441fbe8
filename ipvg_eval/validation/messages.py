"""What the parent and a checking process say to each other."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, TypeAdapter

from ipvg_eval.findings import Finding
from ipvg_eval.sandbox.messages import Message
from ipvg_eval.validation.rules import VideoRules


class Task(Message):
    """What a checking process is started with.

    Attributes:
        rules: bounds of a plausible video.
        deep: decode every frame.
    """

    rules: VideoRules
    deep: bool


class Drive(Message):
    """Listen to the sound that comes with this: the next video is to be driven with it."""

    kind: Literal["drive"] = "drive"


class Driven(Message):
    """The sound has been heard; what is wrong with it, or None."""

    kind: Literal["driven"] = "driven"
    problem: str | None


class Check(Message):
    """Look at the video that comes with this.

    Attributes:
        name: its path in the submission.
        sample: id of the sample it belongs to.
        timeline: what should happen in it, as it stands in the test set; None where nothing is said.
        part: first byte and number of bytes, where it is a part of the file; never with `deep`.
        driven: True where it is to be driven with the sound that was heard last, False where that sound could
            not be heard; None where it is no talking head.
    """

    kind: Literal["check"] = "check"
    name: str
    sample: str
    timeline: str | None = None
    part: tuple[NonNegativeInt, NonNegativeInt] | None = None
    driven: bool | None = None


class Checked(Message):
    """What is wrong with it."""

    kind: Literal["checked"] = "checked"
    findings: tuple[Finding, ...]


REQUEST: TypeAdapter[Check | Drive] = TypeAdapter(Annotated[Check | Drive, Field(discriminator="kind")])
