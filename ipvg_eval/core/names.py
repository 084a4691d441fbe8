"""Names of teams, as different systems write them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator


def composed(name: str) -> str:
    """The name in Unicode's composed form (NFC): file systems and keyboards write one name in two ways."""
    return unicodedata.normalize("NFC", name)


def team_name(name: str) -> str:
    """The name composed, and with plain spaces: texts copied from pages have others that look the same."""
    return "".join(" " if unicodedata.category(one) == "Zs" else one for one in composed(name))


def look_alikes(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Pairs of different names that are equal but for case, Unicode form and invisible marks, sorted."""
    first: dict[str, str] = {}
    clashes = []
    for name in sorted(set(names)):
        seen = "".join(one for one in team_name(name) if unicodedata.category(one) != "Cf")
        same = first.setdefault(composed(composed(seen).casefold()), name)
        if same != name:
            clashes.append((same, name))
    return tuple(clashes)


TeamName = Annotated[str, AfterValidator(team_name)]
"""A team's name as `team_name` writes it."""
