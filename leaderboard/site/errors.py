"""What can go wrong when a site is written."""

from __future__ import annotations

from ipvg_eval.core.errors import ExitCode
from ipvg_eval.leaderboard.errors import LeaderboardError


class SiteError(LeaderboardError):
    """The site cannot be written where it was asked for."""

    exit_code = ExitCode.USAGE
