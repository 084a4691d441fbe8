"""Text as timelines compare it, and the brackets in it."""

from __future__ import annotations

import re
import unicodedata

BRACKETS = {"[": "]", "(": ")", "【": "】"}
"""The pairs that may stand around a range or an action."""

_OPENING = {close: opening for opening, close in BRACKETS.items()}
_ANY_BRACKET = re.compile(r"[\[\]()【】]")
_SPACE = re.compile(r"\s+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def clean(text: str) -> str:
    """NFKC, every run of white space and control characters one space, none at the ends."""
    return " ".join(_CONTROL.sub(" ", unicodedata.normalize("NFKC", text)).split())


def clean_lines(text: str) -> str:
    """As `clean`, but a run of white space with a line break in it stays one line break."""
    normal = unicodedata.normalize("NFKC", text)
    return _SPACE.sub(lambda run: "\n" if "\n" in run[0] or "\r" in run[0] else " ", normal).strip()


def matching_brackets(text: str) -> dict[int, int]:
    """Where the bracket opened at each index closes; unmatched brackets are left out.

    Each kind of bracket is matched by itself. Linear in the length of the text.
    """
    waiting: dict[str, list[int]] = {opening: [] for opening in BRACKETS}
    closes: dict[int, int] = {}
    for found in _ANY_BRACKET.finditer(text):
        bracket, index = found[0], found.start()
        if bracket in BRACKETS:
            waiting[bracket].append(index)
        elif waiting[_OPENING[bracket]]:
            closes[waiting[_OPENING[bracket]].pop()] = index
    return closes


def without_outer_brackets(text: str) -> str:
    """A text without the one pair of brackets that encloses all of it, if there is one."""
    if text[:1] in BRACKETS and matching_brackets(text).get(0) == len(text) - 1:
        return text[1:-1].strip()
    return text
