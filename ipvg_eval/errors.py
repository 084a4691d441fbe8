"""What can go wrong with test sets, submissions, videos and runs, each with what to do next."""

from __future__ import annotations

from ipvg_eval.core.errors import ExitCode, IpvgError


class TestSetError(IpvgError):
    """The test set cannot be read."""

    __test__ = False  # pytest must not collect it
    exit_code = ExitCode.USAGE


class SubmissionError(IpvgError):
    """The submission as a whole cannot be read."""


class VideoError(IpvgError):
    """One video cannot be opened or decoded."""


class RunError(IpvgError):
    """A run folder cannot be used."""


class RunUnwritable(RunError):
    """A run cannot be written where it was asked for."""

    exit_code = ExitCode.USAGE
