"""A leaderboard as a static site that opens from a folder and needs no network."""

from ipvg_eval.leaderboard.site.errors import SiteError
from ipvg_eval.leaderboard.site.hidden import HIDDEN, leaderboard_dict
from ipvg_eval.leaderboard.site.media import Media
from ipvg_eval.leaderboard.site.write import write_site

__all__ = ["HIDDEN", "Media", "SiteError", "leaderboard_dict", "write_site"]
