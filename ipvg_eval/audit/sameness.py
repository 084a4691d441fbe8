"""The same video for several prompts, or in several submissions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from ipvg_eval.audit.model import AuditFinding
from ipvg_eval.audit.signals import HASHED_FRAMES, VideoSignals
from ipvg_eval.audit.thresholds import Thresholds

_BLOCK = 512
_NAMED = 12


def check_sameness(seen: Sequence[VideoSignals], limits: Thresholds) -> Iterator[AuditFinding]:
    """One finding per group of videos that look the same.

    Two videos are linked if their hashes differ little; a group is what links connect.
    """
    seen = [signals for signals in seen if len(signals.hashes) == HASHED_FRAMES]
    for group in _groups(seen, limits.same_distance):
        members = [seen[k] for k in group]
        farthest = max(
            hash_distance(seen[a].hashes, seen[b].hashes) for n, a in enumerate(group) for b in group[n + 1 :]
        )
        teams = list(dict.fromkeys(signals.team for signals in members))
        for team in teams:
            own = [signals for signals in members if signals.team == team]
            if len(own) > 1:
                yield _finding("repeated-video", team, [signals.video for signals in own], farthest, limits)
        if len(teams) > 1:
            for team in teams:
                videos = [f"{signals.team}: {signals.video}" for signals in members]
                yield _finding("shared-video", team, videos, farthest, limits)


def hash_distance(one: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]) -> float:
    """Mean number of differing bits over the frames of two videos."""
    return float((one != other).sum(axis=1).mean())


def _finding(kind: str, team: str, videos: list[str], farthest: float, limits: Thresholds) -> AuditFinding:
    shown = ", ".join(videos[:_NAMED]) + (f" and {len(videos) - _NAMED} more" if len(videos) > _NAMED else "")
    return AuditFinding(
        kind=kind,
        team=team,
        videos=tuple(videos),
        message=f"{len(videos)} videos look the same: {shown}. "
        f"Their hashes differ by {farthest:.1f} of 64 bits at most.",
        numbers={"videos": float(len(videos)), "largest distance": farthest},
        thresholds={"same_distance": limits.same_distance},
    )


def _groups(seen: Sequence[VideoSignals], distance: float) -> list[list[int]]:
    """Connected sets of two or more, by position."""
    if len(seen) < 2:
        return []
    # Bits as +1 and -1: the product of two rows is the number of equal bits less that of different ones.
    signs = np.stack([signals.hashes.ravel() for signals in seen]).astype(np.float32) * 2 - 1
    parents = list(range(len(seen)))

    def root(k: int) -> int:
        while parents[k] != k:
            parents[k] = parents[parents[k]]
            k = parents[k]
        return k

    for start in range(0, len(seen), _BLOCK):
        differing = (signs.shape[1] - signs[start : start + _BLOCK] @ signs.T) / 2 / HASHED_FRAMES
        for row, column in np.argwhere(differing <= distance):
            if start + row < column:
                parents[root(int(column))] = root(int(start + row))
    groups: dict[int, list[int]] = {}
    for k in range(len(seen)):
        groups.setdefault(root(k), []).append(k)
    return [group for group in groups.values() if len(group) > 1]
