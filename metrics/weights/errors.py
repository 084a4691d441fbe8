"""Why a weight could not be brought here. All of them end a command with exit code 3."""

from __future__ import annotations

from ipvg_eval.metrics.errors import WeightsMissing


class PullFailed(WeightsMissing):
    """A weight could not be brought to this machine."""


class WrongHash(PullFailed):
    """What arrived is not the declared file; it has been removed."""


class Interrupted(PullFailed):
    """The transfer broke off; what arrived is kept and the next attempt goes on from there."""


class NoSpace(PullFailed):
    """The disk is full, or a quota is used up."""


class NotThere(PullFailed):
    """The source answered, and does not have the file."""
