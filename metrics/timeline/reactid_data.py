"""Real videos with their true timelines, as ReactID-Data, the track's training set, has them.

A folder with `timeline_annotations/NAME.json` and `videos/NAME.mp4` (or another container). An annotation is
a mapping with the events, in one list or under each entity, `global_caption`, and the entities' `label`. The
data are gated, and this layout is assumed from their description: whatever is not there is named.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipvg_eval.core.errors import UsageError
from ipvg_eval.core.timeline.format import format_timeline
from ipvg_eval.core.timeline.model import Event, summary
from ipvg_eval.core.timeline.parse import parse_timeline
from ipvg_eval.metrics.errors import MetricsError
from ipvg_eval.metrics.target import Reference, Target

ANNOTATIONS = "timeline_annotations"
VIDEOS = "videos"

_CONTAINERS = (".mp4", ".mkv", ".webm", ".mov", ".avi")
_LABELS = ("label", "class_label", "name")
_LARGEST = 10_000_000
_EXPECTED = (
    "Expected is a mapping with `events` (or events under each of `entities`), each with a start, an end and "
    "a description, `global_caption`, and `entities` with a `label`; see docs/track2.md."
)


@dataclass(frozen=True, kw_only=True)
class AnnotatedVideo:
    """One real video.

    Attributes:
        name: of its annotation.
        video: the file.
        caption: what the whole video shows; empty where the annotation does not say.
        labels: of its entities, each once.
        events: at least one, by start.
    """

    name: str
    video: Path
    caption: str
    labels: tuple[str, ...]
    events: tuple[Event, ...]

    def target(self, events: tuple[Event, ...]) -> Target:
        """The video measured against a timeline; its references are names without pictures."""
        references = tuple(Reference(path=self.video, label=label) for label in self.labels)
        return Target(
            sample_id=self.name,
            references=references or (Reference(path=self.video),),
            prompt=self.caption,
            timeline=format_timeline(events),
        )


def read_annotated_videos(folder: Path) -> list[AnnotatedVideo]:
    """Every annotated video of a folder, by name.

    Raises:
        UsageError: there is no annotation.
        MetricsError: one is not understood, or a video is missing.
    """
    paths = sorted((folder / ANNOTATIONS).glob("*.json"))
    if not paths:
        hint = f"Give a folder with {ANNOTATIONS}/NAME.json and {VIDEOS}/NAME.mp4; see docs/track2.md."
        raise UsageError(f"there is no {ANNOTATIONS}/*.json", path=folder, hint=hint)
    return [_annotated(path, folder / VIDEOS) for path in paths]


def _annotated(path: Path, videos: Path) -> AnnotatedVideo:
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError(f"larger than {_LARGEST:,} bytes")
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise MetricsError(f"{path}: this annotation cannot be read ({error})", hint="Restore it.") from error
    if not isinstance(content, Mapping):
        raise MetricsError(f"{path}: an annotation is a mapping", hint=_EXPECTED)
    timeline = parse_timeline(dict(content))
    if not timeline.events:
        reason = summary(timeline.problems)
        raise MetricsError(f"{path}: no event can be read: {reason}", hint=_EXPECTED)
    found = [videos / f"{path.stem}{ending}" for ending in _CONTAINERS]
    video = next((file for file in found if file.is_file()), None)
    if video is None:
        raise MetricsError(f"{found[0]}: this video is missing", hint=f"Download it, or remove {path.name}.")
    caption = content.get("global_caption", "")
    return AnnotatedVideo(
        name=path.stem,
        video=video,
        caption=caption if isinstance(caption, str) else "",
        labels=tuple(dict.fromkeys(_labels(content))),
        events=timeline.events,
    )


def _labels(content: Mapping[str, Any]) -> Iterator[str]:
    entities = content.get("entities", [])
    for entity in entities if isinstance(entities, list) else []:
        if isinstance(entity, str):
            yield entity
        elif isinstance(entity, Mapping):
            values = (entity.get(key) for key in _LABELS)
            yield from [value for value in values if isinstance(value, str)][:1]
