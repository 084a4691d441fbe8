"""What every limited process and its parent say to each other, a line of JSON each."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from ipvg_eval.core.limits import Confinement


class Message(BaseModel):
    """A request or an answer. Answers have a `kind` that tells them apart."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Hello(Message):
    """The process has all it needs, has confined itself, and no file has been opened yet.

    Attributes:
        versions: of Python and of the libraries that read the files.
        confinement: how it is confined.
    """

    kind: Literal["hello"] = "hello"
    versions: dict[str, str]
    confinement: Confinement


class Failed(Message):
    """What was asked for cannot be had from this file.

    Attributes:
        message: why.
        hint: what to do about it.
        spent: whether the process is of no further use.
    """

    kind: Literal["failed"] = "failed"
    message: str
    hint: str | None = None
    spent: bool = False
