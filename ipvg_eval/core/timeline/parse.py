"""Reading a timeline, whatever it is written in."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

from ipvg_eval.core.timeline.check import order_problems
from ipvg_eval.core.timeline.model import Event, Problem, Timeline
from ipvg_eval.core.timeline.parse_json import LISTS, NotATimeline, entries, raw_event
from ipvg_eval.core.timeline.parse_text import RawEvent, raw_events
from ipvg_eval.core.timeline.wording import clean

_NO_EVENT = Problem(
    code="timeline-empty",
    severity="error",
    message="The timeline holds no event.",
    action='Write each event as "0-2s: [action]", or as JSON with start, end and description.',
)


def parse_timeline(source: str | list[Any] | dict[str, Any]) -> Timeline:
    """The events of a timeline and everything that is wrong with it; never raises on bad input.

    Args:
        source: running text ("0–2s: [waves]; 2–5s: [sits down]"), JSON text, or a parsed JSON value: a list
            of {start, end, description}, a mapping with such a list (`temporal_captions`, `events`, ...), or
            one with `entities` that each have one. Times are seconds unless a unit is given; `start_time`,
            `end_time`, `caption` and `action` are understood as well.

    Returns:
        The sound events by start, and the problems: no event, end not after start, negative, infinite or
        unreadable times, missing keys and empty actions are errors and cost that event; overlaps and gaps
        are warnings.
    """
    value = _json_value(source) if isinstance(source, str) else source
    found: list[RawEvent | Problem]
    try:
        found = [raw_event(entry, f"event {k}") for k, entry in enumerate(entries(value), start=1)]
    except NotATimeline:
        if not isinstance(source, str) or isinstance(value, dict):
            return Timeline(events=(), problems=(_NO_EVENT, _no_list()))
        found = list(raw_events(source))
    return _timeline(found)


def _json_value(text: str) -> Any:
    if text.lstrip()[:1] not in {"[", "{"}:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _timeline(found: Iterable[RawEvent | Problem]) -> Timeline:
    checked = [
        raw if isinstance(raw, Problem) else _checked(raw, number)
        for number, raw in enumerate(found, start=1)
    ]
    events = sorted(
        (item for item in checked if isinstance(item, Event)), key=lambda e: (e.start, e.end, e.description)
    )
    problems = [item for item in checked if isinstance(item, Problem)]
    if not events:
        problems.insert(0, _NO_EVENT)
    return Timeline(events=tuple(events), problems=(*problems, *order_problems(events)))


def _checked(raw: RawEvent, number: int) -> Event | Problem:
    start, end, description = raw[0], raw[1], clean(raw[2])
    if not (math.isfinite(start) and math.isfinite(end)):
        return _error("timeline-time-invalid", number, f"{start} to {end} is not a time range")
    if start < 0 or end < 0:
        return _error("timeline-time-negative", number, f"{start:g} s to {end:g} s begins before the video")
    if end <= start:
        return _error(
            "timeline-reversed", number, f"it ends at {end:g} s, not after it starts at {start:g} s"
        )
    if not description:
        return _error("timeline-description-empty", number, f"{start:g} s to {end:g} s has no action")
    return Event(start=start + 0.0, end=end, description=description)


def _error(code: str, number: int, what: str) -> Problem:
    return Problem(code=code, severity="error", message=f"Event {number}: {what}.", action="Mend this event.")


def _no_list() -> Problem:
    return Problem(
        code="timeline-key-missing",
        severity="error",
        message="The JSON holds no list of events.",
        action=f"Put the events under one of: {', '.join(LISTS)}.",
    )
