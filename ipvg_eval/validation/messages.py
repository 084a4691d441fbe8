"""What the parent and a checking process say to each other."""

from __future__ import annotations

from typing import Literal

from pydantic import NonNegativeInt

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


class Check(Message):
    """Look at the video that comes with this.

    Attributes:
        name: its path in the submission.
        sample: id of the sample it belongs to.
        timeline: what should happen in it, as it stands in the test set; None where nothing is said.
        part: first byte and number of bytes, where it is a part of the file; never with `deep`.
    """

    name: str
    sample: str
    timeline: str | None = None
    part: tuple[NonNegativeInt, NonNegativeInt] | None = None


class Checked(Message):
    """What is wrong with it."""

    kind: Literal["checked"] = "checked"
    findings: tuple[Finding, ...]
