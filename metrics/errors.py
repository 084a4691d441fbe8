"""What can go wrong before or while measuring, each with what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MetricsError(Exception):
    """Base of this package's errors.

    Attributes:
        hint: what the reader can do next, or None.
        exit_code: what a command line should exit with.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class ProtocolError(MetricsError):
    """A protocol file, an option or a metric name is not understood."""

    exit_code = 2


class WeightsMissing(MetricsError):
    """Weights, or the package that carries them, are not on this machine."""

    exit_code = 3


class DeviceUnavailable(MetricsError):
    """The requested device does not exist here."""

    exit_code = 3


class UnreadableImage(MetricsError):
    """A picture cannot be decoded."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The nearest known name as a sentence, or the list of known names."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if near:
        return f"Did you mean {near[0]!r}?"
    return "Known: " + ", ".join(names) + "."
