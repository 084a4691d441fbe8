"""Names of teams, as different systems write them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator


def composed(name: str) -> str:
    """The name in Unicode's composed form (NFC): file systems and keyboards write one name in two ways."""
    return unicodedata.normalize("NFC", name)


def case_clashes(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Pairs of different names that are equal but for case and Unicode form, sorted."""
    first: dict[str, str] = {}
    clashes = []
    for name in sorted(set(names)):
        same = first.setdefault(composed(composed(name).casefold()), name)
        if same != name:
            clashes.append((same, name))
    return tuple(clashes)


TeamName = Annotated[str, AfterValidator(composed)]
"""A team's name in composed form."""
