"""What can go wrong in generating videos, each with what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


class GeneratorError(Exception):
    """Base of this package's errors.

    Attributes:
        message: what happened, without the path.
        hint: what the reader can do next, or None.
        exit_code: what a command line should exit with.
    """

    exit_code = 1

    def __init__(self, message: str, *, path: Path | str | None = None, hint: str | None = None) -> None:
        super().__init__(f"{path}: {message}" if path is not None else message)
        self.message = message
        self.hint = hint


class SettingsError(GeneratorError):
    """A preset, a key or a value is not understood, or two settings exclude each other."""

    exit_code = 2


class ModelsMissing(GeneratorError):
    """Models, or a package they need, are not on this machine."""

    exit_code = 3


class RewriterUnusable(GeneratorError):
    """The language model cannot be used at all: wrong address, key or model name."""

    exit_code = 3


class OutputInUse(GeneratorError):
    """The output folder holds videos that this run did not make."""

    exit_code = 2


class SampleFailed(GeneratorError):
    """One sample cannot be made; the others can."""


class UnreadableReference(SampleFailed):
    """A reference picture cannot be decoded."""


class RewriteFailed(SampleFailed):
    """The language model gave no usable answer for one sample, after all retries."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The nearest known name as a sentence, or the list of known names."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"Did you mean {near[0]!r}?" if near else "Known: " + ", ".join(names) + "."
