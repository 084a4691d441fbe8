"""What can go wrong in generating videos, each with what to do next."""

from __future__ import annotations

from ipvg_eval.core.errors import ExitCode, IpvgError, UnreadablePicture


class GeneratorError(IpvgError):
    """Base of this package's errors."""


class SettingsError(GeneratorError):
    """A preset, a key or a value is not understood, or two settings exclude each other."""

    exit_code = ExitCode.USAGE


class ModelsMissing(GeneratorError):
    """Models, or a package they need, are not on this machine."""

    exit_code = ExitCode.UNAVAILABLE


class RewriterUnusable(GeneratorError):
    """The language model cannot be used at all: wrong address, key or model name."""

    exit_code = ExitCode.UNAVAILABLE


class SystemUnusable(GeneratorError):
    """A command, a server or another package's system cannot be used at all."""

    exit_code = ExitCode.UNAVAILABLE


class DoesNotFit(GeneratorError):
    """The model needs more memory than this machine has."""

    exit_code = ExitCode.UNAVAILABLE


class CostCapReached(GeneratorError):
    """The videos would cost more than was allowed."""

    exit_code = ExitCode.USAGE


class OutputInUse(GeneratorError):
    """The output folder holds videos that this run did not make."""

    exit_code = ExitCode.USAGE


class OutputUnusable(GeneratorError):
    """The output folder cannot be filled: it is no folder, cannot be written to, or its disk is full."""

    exit_code = ExitCode.USAGE


class SameFailureAgain(GeneratorError):
    """Several samples in a row failed alike, so the others would, too."""

    exit_code = ExitCode.SOME_FAILED


class SampleFailed(GeneratorError):
    """One sample cannot be made; the others can."""


class UnreadableReference(SampleFailed, UnreadablePicture):
    """A reference picture cannot be decoded."""


class RewriteFailed(SampleFailed):
    """The language model gave no usable answer for one sample, after all retries."""


class SystemFailed(SampleFailed):
    """A command or a server gave no usable video for one sample."""
