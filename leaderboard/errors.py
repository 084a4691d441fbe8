"""What can go wrong before a ranking exists, each with what to do next."""

from __future__ import annotations

from ipvg_eval.core.errors import ExitCode, IpvgError


class LeaderboardError(IpvgError):
    """Base of this package's errors."""


class ChallengeError(LeaderboardError):
    """The challenge's settings are not understood or do not fit the runs."""

    exit_code = ExitCode.USAGE


class RunsError(LeaderboardError):
    """Scored runs cannot be read, or cannot be ranked together."""


class VotesError(LeaderboardError):
    """Votes or opinion scores cannot be read, or do not fit the runs."""
