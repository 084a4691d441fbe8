"""What can go wrong before a ranking exists, each with what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path

_SHOWN = 10


class LeaderboardError(Exception):
    """Base of this package's errors.

    Attributes:
        hint: what the reader can do next, or None.
        exit_code: what a command line should exit with: 1 invalid input, 2 usage.
    """

    exit_code = 1

    def __init__(self, message: str, *, path: Path | str | None = None, hint: str | None = None) -> None:
        super().__init__(f"{path}: {message}" if path is not None else message)
        self.hint = hint


class ChallengeError(LeaderboardError):
    """The challenge's settings are not understood or do not fit the runs."""

    exit_code = 2


class RunsError(LeaderboardError):
    """Scored runs cannot be read, or cannot be ranked together."""


class VotesError(LeaderboardError):
    """Votes or opinion scores cannot be read, or do not fit the runs."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The nearest known name as a sentence, or the list of known names."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if near:
        return f"Did you mean {near[0]!r}?"
    return "Known: " + ", ".join(names) + "." if names else "None is known."


def listed(problems: Sequence[str]) -> str:
    """Problems one below the other, the first ten in full."""
    lines = [f"  {problem}" for problem in problems[:_SHOWN]]
    if len(problems) > _SHOWN:
        lines.append(f"  and {len(problems) - _SHOWN} more")
    return "\n".join(lines)
