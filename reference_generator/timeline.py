"""Track 2's timelines: events in time, and which latent frame belongs to which."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ipvg_eval.reference_generator.errors import SampleFailed

_NUMBER = r"[0-9]{1,6}(?:[.,][0-9]{1,6})?"
_CLOCK = rf"[0-9]{{1,4}}:{_NUMBER}"
_TIME = rf"(?:{_CLOCK}|{_NUMBER})"
_UNIT = r"\s{0,2}(?:milliseconds?|seconds?|secs?|ms|s|秒)(?![a-z])"
_DASH = r"\s{0,3}(?:[\u2010-\u2015\u2212~→-]>?|to|until)\s{0,3}"
_RANGE = re.compile(
    rf"(?P<open>[\[(【]\s?)?(?<![0-9.:])(?P<start>{_TIME})(?P<unit1>{_UNIT})?{_DASH}"
    rf"(?P<end>{_TIME})(?P<unit2>{_UNIT})?(?P<close>\s?[\])】])?(?P<colon>\s{{0,2}}:)?",
    re.IGNORECASE,
)
_JSON = re.compile(r"\[\s*\{")
_START_KEYS, _END_KEYS = ("start", "start_time"), ("end", "end_time")
_TEXT_KEYS = ("description", "caption", "action")
_PAIRS = {"[": "]", "(": ")", "【": "】"}


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happens. Times in seconds."""

    start: float
    end: float
    text: str


def parse_timeline(timeline: str) -> tuple[Event, ...]:
    """The events of a timeline, by their start.

    Args:
        timeline: a prompt such as "0-2s: [walks]; 2-5s: [sits]", or a JSON list of objects with start, end
            and description. Numbers without a unit are seconds.

    Raises:
        SampleFailed: there is no event, or one has no length or no text.
    """
    stripped = timeline.strip()
    events = _from_json(stripped) if _JSON.match(stripped) else _from_text(stripped)
    if not events:
        raise SampleFailed(f"the timeline holds no event: {stripped[:80]!r}")
    for event in events:
        if not 0 <= event.start < event.end:
            raise SampleFailed(f"an event of the timeline lasts from {event.start:g} s to {event.end:g} s")
        if not event.text:
            raise SampleFailed(f"the event at {event.start:g} s has no text")
    return tuple(sorted(events, key=lambda event: event.start))


def timeline_seconds(timeline: str) -> float | None:
    """When the last event ends, or None if the timeline cannot be read."""
    try:
        return max(event.end for event in parse_timeline(timeline))
    except SampleFailed:
        return None


def frame_events(events: Sequence[Event], *, frames: int, fps: float, first_frame: int = 0) -> list[int]:
    """Index of the event that each latent frame belongs to.

    Latent frame 0 covers one picture and every other four, of which the middle decides. A frame in a gap
    belongs to the event before it, one ahead of all events to the first.

    Args:
        events: by their start.
        frames: pictures of this pass, 4 n + 1.
        fps: pictures per second.
        first_frame: where this pass begins in the whole video.
    """
    middles = [0.0, *(4 * k - 1.5 for k in range(1, (frames - 1) // 4 + 1))]
    chosen = []
    for middle in middles:
        time = (first_frame + middle) / fps
        begun = [index for index, event in enumerate(events) if event.start <= time]
        inside = [index for index in begun if time < events[index].end]
        chosen.append(inside[0] if inside else begun[-1] if begun else 0)
    return chosen


def _from_json(text: str) -> list[Event]:
    try:
        items = json.loads(text)
    except json.JSONDecodeError as error:
        raise SampleFailed(f"the timeline is not valid JSON: {error}") from error
    return [
        Event(
            start=_seconds(str(_value(item, _START_KEYS))),
            end=_seconds(str(_value(item, _END_KEYS))),
            text=str(_value(item, _TEXT_KEYS)).strip(),
        )
        for item in items
    ]


def _value(item: Any, keys: Sequence[str]) -> Any:
    for key in keys:
        if isinstance(item, dict) and key in item:
            return item[key]
    raise SampleFailed(f"an event of the timeline has no {keys[0]}")


def _from_text(text: str) -> list[Event]:
    text = unicodedata.normalize("NFKC", text)
    found = [match for match in _RANGE.finditer(text) if _is_range(match)]
    events = []
    ends = [match.start() for match in found[1:]] + [len(text)]
    for match, end in zip(found, ends, strict=False):
        body = text[match.end() : end]
        unit = match["unit2"] or match["unit1"] or ""
        events.append(
            Event(
                start=_seconds(match["start"] + (match["unit1"] or unit)),
                end=_seconds(match["end"] + unit),
                text=_bare(body),
            )
        )
    return events


def _is_range(match: re.Match[str]) -> bool:
    bracketed = match["open"] and match["close"]
    clock = ":" in match["start"] and ":" in match["end"]
    return bool(match["unit1"] or match["unit2"] or bracketed or clock or match["colon"])


def _bare(text: str) -> str:
    """An event's text without separators and without one pair of brackets around all of it."""
    text = text.strip(" \t\r\n;,:|")
    if text[:1] in _PAIRS and text.endswith(_PAIRS[text[0]]):
        text = text[1:-1]
    return text.strip(" \t\r\n;")


def _seconds(text: str) -> float:
    text = text.strip().lower().replace(",", ".")
    scale = 0.001 if text.endswith("ms") or "milli" in text else 1.0
    number = re.sub(r"[a-z秒\s]+$", "", text)
    try:
        minutes, _, seconds = number.rpartition(":")
        return (60 * float(minutes or 0) + float(seconds)) * scale
    except ValueError as error:
        raise SampleFailed(f"{text!r} in the timeline is no time") from error
