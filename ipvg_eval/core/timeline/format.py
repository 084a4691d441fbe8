"""Writing a timeline so that it reads back the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal

from ipvg_eval.core.timeline.model import Event
from ipvg_eval.core.timeline.ranges import DECIMALS
from ipvg_eval.core.timeline.wording import BRACKETS

_WHOLE_DIGITS = 9


def format_timeline(events: Sequence[Event]) -> str:
    """A timeline as text that `parse_timeline` reads back without loss.

    "0–2s: [waves]; 2–5s: [sits down]". An action that has square brackets stands in another kind; where an
    event cannot be written like that (brackets of every kind, times of extreme size) the whole is JSON.
    """
    written = [_written(event) for event in events]
    if None in written:
        return json.dumps(as_json(events), ensure_ascii=False)
    return "; ".join(text for text in written if text is not None)


def as_json(events: Sequence[Event]) -> list[dict[str, float | str]]:
    """The events as the final layout of the test set has them."""
    return [{"start": e.start, "end": e.end, "description": e.description} for e in events]


def _written(event: Event) -> str | None:
    pair = next((f"{o}{c}" for o, c in BRACKETS.items() if not {o, c} & set(event.description)), None)
    start, end = seconds_text(event.start), seconds_text(event.end)
    if pair is None or start is None or end is None:
        return None
    return f"{start}–{end}s: {pair[0]}{event.description}{pair[1]}"


def seconds_text(seconds: float) -> str | None:
    """The shortest decimal that reads back as the same number; None where it is too long to be read."""
    text = format(Decimal(repr(float(seconds))), "f").removesuffix(".0")
    whole, _, fraction = text.partition(".")
    return text if len(whole) <= _WHOLE_DIGITS and len(fraction) <= DECIMALS else None
