"""Time ranges in running text: "0–2s:", "[0-2]", "00:01 → 00:03", "500 ms to 2 s".

Two numbers with a dash between them are a time range only if they have a unit, are clock times,
stand in brackets of their own or end in a colon; "picks up 2-3 apples" and "a 10-year-old boy" hold none.
Every repetition in the expressions is bounded, so that reading takes linear time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ipvg_eval.core.timeline.wording import BRACKETS

DECIMALS = 40
"""Digits behind the decimal point that are read."""

_FRACTION = rf"[.,][0-9]{{1,{DECIMALS}}}"
_CLOCK = rf"(?:[0-9]{{1,2}}:)?[0-9]{{1,3}}:[0-5][0-9](?:{_FRACTION})?"
_PLAIN = rf"(?:[0-9]{{1,9}}(?:{_FRACTION})?|\.[0-9]{{1,{DECIMALS}}})"
_UNIT = r"(?:ms|msecs?|milliseconds?|s|secs?\.?|seconds?|秒)(?![A-Za-z0-9_])"
_SIGN = r"(?<![^\s\[(【;:,])[-−]"
_DASH = r"\s?(?:[-‐-―−]{1,2}>?|[~〜→到至]|(?<=\s)(?:to|until)(?=\s))\s?"

# Not in the middle of a word, a number, a clock time, a date or a fraction.
_BEGIN = r"(?<![0-9A-Za-z_])(?<![0-9][.,:/⁄‐-―−-])"
_RANGE = re.compile(
    rf"(?P<open>[\[(【]\s?)?(?:\bfrom\s|[从從第]\s?)?{_BEGIN}"
    rf"(?P<start>(?:{_SIGN})?(?:(?P<clock1>{_CLOCK})|{_PLAIN}))\s?(?P<unit1>{_UNIT})?"
    rf"{_DASH}"
    rf"(?P<end>(?:-(?=[0-9.]))?(?:(?P<clock2>{_CLOCK})|{_PLAIN}))(?:\s?(?P<unit2>{_UNIT})|(?![0-9A-Za-z_]))"
    rf"(?:\s?(?P<close>[\])】]))?(?:\s?(?P<colon>:))?",
    re.IGNORECASE,
)
_TIME = re.compile(rf"([-−]?)(?:({_CLOCK})|({_PLAIN}))\s?({_UNIT})?", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class TimeRange:
    """A time range and where it stands.

    Attributes:
        start: in seconds; negative as written.
        end: in seconds.
        first: index of its first character, an enclosing bracket included.
        last: index behind its last character, bracket and colon included.
        colon: whether it ends in a colon.
    """

    start: float
    end: float
    first: int
    last: int
    colon: bool


def time_ranges(text: str) -> Iterator[TimeRange]:
    """Every time range of a text that is NFKC with runs of white space collapsed, in order."""
    for found in _RANGE.finditer(text):
        enclosed = bool(found["open"]) and found["close"] == BRACKETS[found["open"][0]]
        clock = bool(found["clock1"] and found["clock2"])
        if not (found["unit1"] or found["unit2"] or clock or enclosed or found["colon"]):
            continue
        unit = found["unit2"] or found["unit1"] or "s"
        yield TimeRange(
            start=_seconds(found["start"], found["unit1"] or unit),
            end=_seconds(found["end"], unit),
            first=found.start() if enclosed or not found["open"] else found.start() + len(found["open"]),
            last=found.end(),
            colon=bool(found["colon"]),
        )


def read_time(text: str) -> float | None:
    """Seconds of a time that stands alone ("2.5", "2,5 s", "500ms", "0:02.5"); None if it is not one."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    return _seconds(found[1] + (found[2] or found[3]), found[4] or "s")


def _seconds(text: str, unit: str) -> float:
    digits = text.replace("−", "-").replace(",", ".")
    sign = -1.0 if digits.startswith("-") else 1.0
    parts = [float(part) for part in digits.removeprefix("-").split(":")]
    seconds = parts[-1]
    for weight, part in zip((60.0, 3600.0), parts[-2::-1], strict=False):
        seconds += weight * part
    return sign * (seconds / 1000.0 if len(parts) == 1 and unit.lower().startswith("m") else seconds)
