"""What a public site leaves out.

Hidden is whatever is about a single sample, a single vote or the organiser's machine. Statistics over samples
and votes are public.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ipvg_eval.leaderboard.board import Leaderboard, TrackBoard

FEWEST_VALUES = 50
HIDDEN = (
    "sample ids and identities",
    "prompts, reference pictures and frames of videos",
    "values of single samples, among them the smallest and the largest of each team",
    f"distributions of fewer than {FEWEST_VALUES} samples, which give single values away",
    "single votes, their annotators and times",
    "which videos an audit speaks of",
)


def leaderboard_dict(board: Leaderboard, *, public: bool) -> dict[str, Any]:
    """The leaderboard as plain dictionaries, without folders and without what is hidden.

    Values of samples are never in it: they have a table of their own. Run folders and vote files keep their
    last name only.

    Args:
        board: the leaderboard.
        public: whether the smallest and largest values go too.
    """
    content = board.to_dict()
    paths = folder_names(board)
    for track in content["tracks"]:
        track["sources"] = source_names(track["sources"])
        if public:
            for row in track["scores"]:
                del row["min"], row["max"]
            for audit in track["audits"].values():
                for finding in audit["findings"]:
                    del finding["videos"], finding["message"]
    cleaned: dict[str, Any] = _renamed(content, paths)
    return cleaned


def source_names(sources: Mapping[str, str]) -> dict[str, str]:
    """Vote files by the last part of their path."""
    return {Path(name).name: sha256 for name, sha256 in sources.items()}


def folder_names(board: Leaderboard | TrackBoard) -> dict[str, str]:
    """Run folder -> what a reader may see of it, longer paths first."""
    tracks = board.tracks if isinstance(board, Leaderboard) else (board,)
    paths = {str(path) for track in tracks for path in track.submissions.table["run"]}
    longest_first = sorted(paths, key=len, reverse=True)
    return {path: name for path in longest_first if (name := Path(path).name) and name != path}


def without_folders(text: str, names: Mapping[str, str]) -> str:
    """A text in which run folders keep their last name only, and none where one stands in brackets."""
    for path, name in names.items():
        text = text.replace(f" ({path})", "").replace(path, name)
    return text


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return without_folders(value, names)
    if isinstance(value, dict):
        return {key: _renamed(item, names) for key, item in value.items()}
    return [_renamed(item, names) for item in value] if isinstance(value, list) else value
