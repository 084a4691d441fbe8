"""What is asked of the process, and what it answers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Read(_Message):
    """Read a file."""

    path: str


class Texts(_Message):
    """The texts of a file by key, or why there are none."""

    texts: dict[str, str] = {}
    problem: str | None = None
