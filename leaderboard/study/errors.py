"""What can go wrong with a study."""

from __future__ import annotations

from ipvg_eval.core.errors import ExitCode
from ipvg_eval.leaderboard.errors import LeaderboardError


class StudyError(LeaderboardError):
    """A study cannot be made, opened or exported."""


class StudyConfigError(StudyError):
    """A study's settings are not understood or do not fit its teams."""

    exit_code = ExitCode.USAGE
