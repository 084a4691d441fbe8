"""What the parent and a checking process say to each other."""

from __future__ import annotations

from typing import Literal

from ipvg_eval.findings import Finding
from ipvg_eval.sandbox.messages import Message
from ipvg_eval.submission import Limits
from ipvg_eval.validation.rules import VideoRules


class Task(Message):
    """What a checking process is started with.

    Attributes:
        submission: path of the folder or zip; None where its videos come as copies.
        limits: bounds on it.
        rules: bounds of a plausible video.
        deep: decode every frame.
    """

    submission: str | None
    limits: Limits
    rules: VideoRules
    deep: bool


class Check(Message):
    """Look at this video of the submission.

    Attributes:
        name: its path there.
        sample: id of the sample it belongs to.
        timeline: what should happen in it, as it stands in the test set; None where nothing is said.
        copy_at: a copy of it, alone in its folder, where the submission itself is on another machine.
    """

    name: str
    sample: str
    timeline: str | None = None
    copy_at: str | None = None


class Checked(Message):
    """What is wrong with it."""

    kind: Literal["checked"] = "checked"
    findings: tuple[Finding, ...]
