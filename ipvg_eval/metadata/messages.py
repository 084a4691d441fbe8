"""What is asked of the process, and what it answers."""

from __future__ import annotations

from typing import Literal

from ipvg_eval.sandbox.messages import Message


class Read(Message):
    """Read the file that comes with this."""


class Texts(Message):
    """The texts of a file by key."""

    kind: Literal["texts"] = "texts"
    texts: dict[str, str]
