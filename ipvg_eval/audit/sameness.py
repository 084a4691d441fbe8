"""The same video for several prompts, or in several submissions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from ipvg_eval.audit.look import HASHED_FRAMES, Look
from ipvg_eval.audit.model import AuditFinding
from ipvg_eval.audit.thresholds import Thresholds

_BLOCK = 512
_NAMED = 12


def check_sameness(looks: Sequence[Look], limits: Thresholds) -> Iterator[AuditFinding]:
    """One finding per group of videos that look the same.

    Two videos are linked if their hashes differ little; a group is what links connect.
    """
    looks = [look for look in looks if len(look.hashes) == HASHED_FRAMES]
    for group in _groups(looks, limits.same_distance):
        members = [looks[k] for k in group]
        farthest = max(
            hash_distance(looks[a].hashes, looks[b].hashes)
            for n, a in enumerate(group)
            for b in group[n + 1 :]
        )
        teams = list(dict.fromkeys(look.team for look in members))
        for team in teams:
            own = [look for look in members if look.team == team]
            if len(own) > 1:
                yield _finding("repeated-video", team, [look.video for look in own], farthest, limits)
        if len(teams) > 1:
            for team in teams:
                videos = [f"{look.team}: {look.video}" for look in members]
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


def _groups(looks: Sequence[Look], distance: float) -> list[list[int]]:
    """Connected sets of two or more, by position."""
    if len(looks) < 2:
        return []
    # Bits as +1 and -1: the product of two rows is the number of equal bits less that of different ones.
    signs = np.stack([look.hashes.ravel() for look in looks]).astype(np.float32) * 2 - 1
    parents = list(range(len(looks)))

    def root(k: int) -> int:
        while parents[k] != k:
            parents[k] = parents[parents[k]]
            k = parents[k]
        return k

    for start in range(0, len(looks), _BLOCK):
        differing = (signs.shape[1] - signs[start : start + _BLOCK] @ signs.T) / 2 / HASHED_FRAMES
        for row, column in np.argwhere(differing <= distance):
            if start + row < column:
                parents[root(int(column))] = root(int(start + row))
    groups: dict[int, list[int]] = {}
    for k in range(len(looks)):
        groups.setdefault(root(k), []).append(k)
    return [group for group in groups.values() if len(group) > 1]
