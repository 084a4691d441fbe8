"""What every string from outside passes on its way to a person."""

from __future__ import annotations

_SHOWN = 200


def printable(text: str) -> str:
    """The text with control and direction characters escaped, shortened if very long."""
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    return safe if len(safe) <= _SHOWN else f"{safe[:_SHOWN]}… ({len(safe)} characters)"
