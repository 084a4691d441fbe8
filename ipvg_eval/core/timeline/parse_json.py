"""Timelines in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipvg_eval.core.timeline.model import Problem
from ipvg_eval.core.timeline.ranges import read_time
from ipvg_eval.core.timeline.wording import clean

LISTS = ("temporal_captions", "events", "timeline", "segments", "captions")
"""Keys under which a list of events is looked for."""

_GROUPS = ("entities", "subjects")
_START = ("start", "start_time", "begin")
_END = ("end", "end_time", "stop")
_TEXT = ("description", "caption", "action", "text")
_DEEPEST = 8


class NotATimeline(ValueError):
    """The JSON value is of another kind."""


def entries(value: Any, depth: int = 0) -> list[Any]:
    """The entries of a JSON value that should each be an event.

    A list of events; a mapping with such a list; or a mapping with entities that have such lists.

    Raises:
        NotATimeline: none of these.
    """
    if depth > _DEEPEST:
        raise NotATimeline
    if isinstance(value, list) and all(isinstance(entry, Mapping) for entry in value):
        return value
    if isinstance(value, Mapping):
        for key in LISTS:
            if key in value:
                return entries(value[key], depth + 1)
        for key in _GROUPS:
            group = value.get(key)
            if isinstance(group, list):
                return [event for member in group for event in entries(member, depth + 1)]
    raise NotATimeline


def raw_event(entry: Mapping[str, Any], place: str) -> tuple[float, float, str] | Problem:
    """Start, end and description of one entry, times and text not checked yet; or what is wrong."""
    values: list[Any] = []
    for keys in (_START, _END, _TEXT):
        key = next((key for key in keys if key in entry), None)
        if key is None:
            return _error("timeline-key-missing", f"{place} has no {keys[0]!r}", f"Add the key {keys[0]!r}.")
        values.append(entry[key])
    start, end = (_time(value) for value in values[:2])
    for key, given, seconds in ((_START[0], values[0], start), (_END[0], values[1], end)):
        if seconds is None:
            shown = repr(given)[:40]
            return _error(
                "timeline-time-invalid",
                f"{place}: {key} is {shown}, not a time",
                'Give seconds as a number, or a text such as "2.5s" or "0:02.5".',
            )
    if not isinstance(values[2], str):
        return _error(
            "timeline-description-invalid", f"{place}: the description is not a text", "Give it as a string."
        )
    assert start is not None
    assert end is not None
    return start, end, values[2]


def _time(value: Any) -> float | None:
    if isinstance(value, str):
        return read_time(clean(value))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _error(code: str, message: str, action: str) -> Problem:
    return Problem(code=code, severity="error", message=f"{message}.", action=action)
