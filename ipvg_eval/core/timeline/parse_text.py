"""Timelines in running text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ipvg_eval.core.timeline.ranges import TimeRange, time_ranges
from ipvg_eval.core.timeline.wording import (
    BRACKETS,
    clean_lines,
    matching_brackets,
    without_outer_brackets,
)

RawEvent = tuple[float, float, str]
"""Start, end and description, not checked yet."""

_LIST_MARK = re.compile(r"\n(?:[-*•]|[0-9]{1,3}(?:[.)]|(?=\n)))?\s?\*{0,2}$")
_BEFORE = " \n;,|>-–—:*"
_BEHIND = " \n;,|*"


def raw_events(text: str) -> list[RawEvent]:
    """Start, end and description of every range in a text, in the order of the text.

    The action is what follows a range up to the next one. Where every range is the last thing said of its
    event ("She waves (0-2s), she sits down (2-5s)"), it is what precedes it. A bracket behind a range's
    colon belongs to the action with everything up to its counterpart, ranges included.
    """
    lines = clean_lines(text)
    ranges = _outermost(lines)
    if not ranges:
        return []
    borders = [*(found.first for found in ranges[1:]), len(lines)]
    between = [lines[found.last : border] for found, border in zip(ranges, borders, strict=True)]
    if not between[-1].strip(_BEHIND + ".") and lines[: ranges[0].first].strip(_BEFORE):
        between = [lines[: ranges[0].first], *between[:-1]]
    return [(found.start, found.end, _action(part)) for found, part in zip(ranges, between, strict=True)]


def _outermost(text: str) -> Sequence[TimeRange]:
    """The ranges that are not part of a bracketed action."""
    closes = matching_brackets(text)
    found: list[TimeRange] = []
    action_ends = 0
    for candidate in time_ranges(text):
        if candidate.first < action_ends:
            continue
        found.append(candidate)
        opening = candidate.last + (text[candidate.last : candidate.last + 1].isspace())
        if candidate.colon and text[opening : opening + 1] in BRACKETS:
            action_ends = closes.get(opening, 0)
    return found


def _action(part: str) -> str:
    text = _LIST_MARK.sub("", part).strip(_BEHIND).lstrip(_BEFORE)
    return without_outer_brackets(text)
