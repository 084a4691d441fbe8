"""A timeline and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Event:
    """One action and when it should happen; half open, [start, end).

    Attributes:
        start: in seconds from the beginning of the video, at least 0.
        end: in seconds, after `start`.
        description: what happens, NFKC, single spaces; never empty.
    """

    start: float
    end: float
    description: str


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong with a timeline.

    Attributes:
        code: stable kebab-case name of the kind of problem ("timeline-reversed").
        severity: an error costs the event it is about; a warning costs nothing.
        message: what was found, one sentence.
        action: what to do about it, one sentence.
    """

    code: str
    severity: Literal["error", "warning"]
    message: str
    action: str


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """The events of a timeline, and its problems.

    Attributes:
        events: the sound ones, by start, then end, then description.
        problems: errors first, then warnings.
    """

    events: tuple[Event, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every event could be read."""
        return not any(problem.severity == "error" for problem in self.problems)

    @property
    def end(self) -> float:
        """When the last event ends, in seconds; 0 without events."""
        return max((event.end for event in self.events), default=0.0)


def summary(problems: Iterable[Problem]) -> str:
    """What was found, as one line without a full stop."""
    return "; ".join(problem.message.removesuffix(".") for problem in problems)
