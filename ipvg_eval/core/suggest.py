"""Help with names that are not known, and with many problems at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

_SHOWN = 10
_LIKE = 0.6


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The nearest known name as a sentence, or the list of known names."""
    names = sorted(known)
    by_case = {known.casefold(): known for known in names}
    near = difflib.get_close_matches(name.casefold(), by_case, n=1, cutoff=_LIKE)
    if near:
        return f"Did you mean {by_case[near[0]]!r}?"
    return "Known: " + ", ".join(names) + "." if names else "None is known."


def listed(problems: Sequence[str]) -> str:
    """Problems one below the other, the first ten in full."""
    lines = [f"  {problem}" for problem in problems[:_SHOWN]]
    if len(problems) > _SHOWN:
        lines.append(f"  and {len(problems) - _SHOWN} more")
    return "\n".join(lines)
