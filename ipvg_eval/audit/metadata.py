"""What a container says about its makers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ipvg_eval.audit.model import AuditFinding
from ipvg_eval.audit.signals import VideoSignals

_SHORTEST_NAME = 4

TOOLS = (
    "adobe", "after effects", "capcut", "comfyui", "davinci", "dreamina", "final cut", "hailuo", "handbrake",
    "imovie", "jianying", "kling", "luma", "midjourney", "minimax", "openai", "pika", "pixverse", "premiere",
    "runway", "seedance", "sora", "topaz", "veo", "vidu", "youtube",
)  # fmt: skip
"""Editors, services and generators that leave their names in files."""


def check_metadata(seen: Sequence[VideoSignals], teams: Sequence[str]) -> Iterator[AuditFinding]:
    """Files that name another submission's team, or a tool, each text once with all its videos."""
    texts: dict[tuple[str, str, str], list[str]] = {}
    for signals in seen:
        for key, value in signals.metadata.items():
            texts.setdefault((signals.team, key, value), []).append(signals.video)
    for (team, key, value), videos in texts.items():
        others = [name for name in teams if name != team and _names(value, name)]
        tools = [tool for tool in TOOLS if _names(value, tool)]
        for kind, found in (("names-another-team", others), ("names-a-tool", tools)):
            if found:
                yield AuditFinding(
                    kind=kind,
                    team=team,
                    videos=tuple(videos),
                    message=f"{key}: {value!r} names {', '.join(found)} ({len(videos)} videos).",
                    numbers={"videos": float(len(videos))},
                    thresholds={},
                )


def _names(text: str, name: str) -> bool:
    """Whether the name stands in the text as words of its own; very short names are not looked for."""
    if len(name) < _SHORTEST_NAME and name not in TOOLS:
        return False
    return re.search(rf"(?<![a-z0-9]){re.escape(name.lower())}(?![a-z])", text.lower()) is not None
