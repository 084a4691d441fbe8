"""What a preset does otherwise than the published system that it is named after."""

from __future__ import annotations

from dataclasses import dataclass

from ipvg_eval.reference_generator.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One row of a preset's table.

    Attributes:
        what: a setting's dotted name, or words.
        published: there.
        here: in this preset.
        why: the reason, empty where both are the same.
    """

    what: str
    published: str
    here: str
    why: str


def differences(settings: Settings) -> list[Difference]:
    """The preset beside the published system: what is the same first."""
    rows = []
    for what, there in settings.published.items():
        here = there.here or _shown(_setting(settings, what))
        rows.append(Difference(what=what, published=_shown(there.value), here=here, why=there.why))
    return sorted(rows, key=lambda row: row.published != row.here)


def _setting(settings: Settings, name: str) -> object:
    value: object = settings
    for part in name.split("."):
        value = getattr(value, part)
    return value


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
