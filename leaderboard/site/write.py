"""Writing a leaderboard as a site."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
import yaml
from markupsafe import Markup

from ipvg_eval.core.page import content_policy, page_environment, points, read_asset
from ipvg_eval.core.printable import json_text
from ipvg_eval.leaderboard.board import Leaderboard
from ipvg_eval.leaderboard.runs import unofficial_reasons
from ipvg_eval.leaderboard.site.exports import Download, track_downloads
from ipvg_eval.leaderboard.site.folder import replace_folder
from ipvg_eval.leaderboard.site.hidden import HIDDEN, leaderboard_dict
from ipvg_eval.leaderboard.site.media import Media
from ipvg_eval.leaderboard.site.team import TeamView
from ipvg_eval.leaderboard.site.track import Track

_HERE = "ipvg_eval.leaderboard.site"


def write_site(
    board: Leaderboard,
    out: Path,
    *,
    public: bool = False,
    media: Media | None = None,
    tool: str = "ipvg-eval",
) -> Path:
    """Write a leaderboard as a folder of pages and tables.

    Every page holds its style, script, drawings and pictures, and forbids itself any network. The folder is
    made beside `out` and takes its place when it is complete.

    Args:
        board: the leaderboard.
        out: the folder; an earlier site there is replaced.
        public: leave hidden data out of the files (see `hidden.HIDDEN`).
        media: where the runs' pictures lie; pages without them where None.
        tool: what wrote the site, with its version.

    Returns:
        The path of index.html.

    Raises:
        SiteError: `out` holds something else than an earlier site, or cannot be written.
    """
    about = {"format": 1, "tool": tool, "title": board.challenge.title, "public": public}
    replace_folder(out, _files(board, public=public, media=None if public else media, tool=tool), about)
    return out / "index.html"


def _files(board: Leaderboard, *, public: bool, media: Media | None, tool: str) -> Iterator[tuple[str, str]]:
    environment = _environment()
    tracks = [Track(board=track, public=public) for track in board.tracks]
    challenge = yaml.safe_dump(board.challenge.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    everything = _everything(board, challenge, public=public)
    downloads = {track.id: [*track_downloads(track), *everything] for track in tracks}
    files = {file.address: file.text for of_track in downloads.values() for file in of_track}
    yield from files.items()
    shared = {
        "board": board,
        "public": public,
        "notices": board.notices,
        "trial": any(unofficial_reasons(track.submissions.counting) for track in board.tracks),
        "tool": tool,
        "hidden": HIDDEN,
        "challenge_text": challenge,
    }
    index = {**shared, **_dress("tables.js", "site.js"), "tracks": tracks, "downloads": downloads}
    yield "index.html", environment.get_template("index.html").render(index)
    dress = _dress("tables.js", "extremes.js")
    for track in tracks:
        for team in track.teams:
            page = {**shared, **dress, "track": track, "view": TeamView(track, team, media)}
            yield track.page(team), environment.get_template("team.html").render(page)


def _everything(board: Leaderboard, challenge: str, *, public: bool) -> list[Download]:
    content = json_text(leaderboard_dict(board, public=public), indent=1)
    return [
        Download(name="leaderboard.json", about="everything on these pages, all tracks", text=content),
        Download(name="challenge.yaml", about="the rules, with every default", text=challenge),
    ]


def _dress(*scripts: str) -> dict[str, Any]:
    """Style and script of a page, and the policy that allows nothing else."""
    style = read_asset("look.css") + read_asset("site.css", _HERE)
    script = "".join(
        read_asset(name, _HERE if name == "site.js" else "ipvg_eval.core.page") for name in scripts
    )
    return {
        "style": Markup(style),  # noqa: S704 - our own file
        "script": Markup(script),  # noqa: S704 - our own file
        "policy": content_policy(style, script),
    }


def _environment() -> jinja2.Environment:
    environment = page_environment("ipvg_eval.leaderboard", "site/templates")
    environment.filters |= {
        "points": points,
        "percent": lambda share: "–" if share is None else f"{100 * share:.1f} %",
        "moment": lambda text: f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M}",
        "sentence": lambda text: text[:1].upper() + text[1:] + ("" if text.endswith(".") else "."),
    }
    return environment
