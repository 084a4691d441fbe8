"""A leaderboard as a static site that opens from a folder and needs no network."""

from leaderboard.site.errors import SiteError
from leaderboard.site.hidden import HIDDEN, leaderboard_dict
from leaderboard.site.media import Media
from leaderboard.site.write import write_site

__all__ = ["HIDDEN", "Media", "SiteError", "leaderboard_dict", "write_site"]
