"""Natural order of names: prompt2 before prompt10."""

from __future__ import annotations

import re

_DIGITS = re.compile(r"([0-9]+)")

NaturalKey = tuple[tuple[tuple[int, int, str], ...], str]


def natural_key(name: str) -> NaturalKey:
    """Sort key under which runs of digits compare by value.

    The order is total: names that differ only in leading zeros fall back to plain text order.
    """
    parts = []
    for position, part in enumerate(_DIGITS.split(name)):
        if position % 2 == 0:
            parts.append((1, 0, part))
        else:
            # Length and digits order like the number, without int()'s limit on long hostile runs.
            significant = part.lstrip("0")
            parts.append((0, len(significant), significant))
    return tuple(parts), name
