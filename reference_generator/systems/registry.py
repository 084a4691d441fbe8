"""Kinds of systems by name: a file in `kinds`, or an entry point of an installed package."""

from __future__ import annotations

import importlib
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files

from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.reference_generator.errors import SettingsError, SystemUnusable
from ipvg_eval.reference_generator.systems.kinds.kind import Kind

GROUP = "ipvg_eval.systems"
"""Entry points of this group name a `Kind`, or a class that is made of the settings and has `make(task)`."""

_FOLDER = "ipvg_eval.reference_generator.systems.kinds"
_NO_KINDS = ("__init__", "kind", "plug_in")


@cache
def built_in() -> tuple[str, ...]:
    """Names of the kinds that ship with this package."""
    names = (
        entry.name.removesuffix(".py") for entry in files(_FOLDER).iterdir() if entry.name.endswith(".py")
    )
    return tuple(sorted(name for name in names if name not in _NO_KINDS))


@cache
def plug_ins() -> dict[str, EntryPoint]:
    """What installed packages add, by name. A name that ships with this package stays what it is."""
    return {entry.name: entry for entry in entry_points(group=GROUP) if entry.name not in built_in()}


def kind_of(name: str) -> Kind:
    """The kind of system of this name.

    Raises:
        SettingsError: there is none.
        SystemUnusable: an installed package offers it, and it cannot be loaded.
    """
    if name in built_in():
        kind: Kind = importlib.import_module(f"{_FOLDER}.{name}").KIND
        return kind
    added = plug_ins()
    if name not in added:
        raise SettingsError(
            f"there is no kind of system {name!r}", hint=did_you_mean(name, (*built_in(), *added))
        )
    return _plugged_in(added[name])


def _plugged_in(entry: EntryPoint) -> Kind:
    from ipvg_eval.reference_generator.systems.kinds.plug_in import PlugInKind

    package = entry.dist.name if entry.dist is not None else "an installed package"
    try:
        found = entry.load()
    except Exception as error:
        raise SystemUnusable(
            f"the system {entry.name} of {package} cannot be loaded ({type(error).__name__}: {error})",
            hint=f"Mend or reinstall {package}.",
        ) from error
    if isinstance(found, Kind):
        return found
    if not callable(getattr(found, "make", None)):
        raise SystemUnusable(
            f"the system {entry.name} of {package} has no make(task)",
            hint=f"Its entry point {entry.value} must name a class with make(task), or a Kind.",
        )
    return PlugInKind(found)
