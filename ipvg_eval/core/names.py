"""Names of teams, as different systems write them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator


def composed(name: str) -> str:
    """The name in Unicode's composed form (NFC): file systems and keyboards write one name in two ways."""
    return unicodedata.normalize("NFC", name)


def storable(text: str) -> str:
    """The text as every file can hold it: escapes for what of a file's name is no UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def team_name(name: str) -> str:
    """The name composed, and with plain spaces: texts copied from pages have others that look the same."""
    spaced = "".join(" " if unicodedata.category(one) == "Zs" else one for one in composed(name))
    return storable(spaced)


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

Storable = Annotated[str, AfterValidator(storable)]
"""A text as `storable` writes it."""
