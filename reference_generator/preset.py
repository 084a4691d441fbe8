"""Presets, and changing any value of one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.core.yaml_text import read_yaml
from ipvg_eval.reference_generator.errors import SettingsError
from ipvg_eval.reference_generator.settings import Settings
from ipvg_eval.reference_generator.systems.registry import plug_ins
from ipvg_eval.reference_generator.tiny import shrunk

_PINNED = (
    ("model", "repo", "revision"),
    ("model", "weights_repo", "weights_revision"),
    ("picture", "repo", "revision"),
    ("references", "repo", "revision"),
)
_PLUG_IN_VIDEO = {"width": 832, "height": 480, "frames": 81, "fps": 16}
_SUFFIXES = (".yaml", ".yml")
RENAMED = {"std-ti2v-5b": "decoupled-ti2v-5b", "std-a14b": "decoupled-a14b"}
"""Presets by names that they had."""


def preset_names() -> list[str]:
    """Names of the shipped presets."""
    return sorted(name for name in _shipped() if not name.startswith("_"))


def _shipped() -> list[str]:
    """Shipped presets, and what only others extend."""
    names = (entry.name for entry in files("ipvg_eval.reference_generator.presets").iterdir())
    return [name[:-5] for name in names if name.endswith(".yaml")]


def load_settings(preset: str, overrides: Iterable[str] = (), *, tiny: bool = False) -> Settings:
    """A preset with values changed.

    Args:
        preset: a shipped preset's name, or a YAML file, whose `extends` may name either.
        overrides: "section.key=value", where the value is read as YAML; a bare key that only one section has
            may leave the section out.
        tiny: make the same system from tiny random models.

    Raises:
        SettingsError: the preset, a key or a value is not understood.
    """
    preset = RENAMED.get(preset, preset)
    values = _read(preset, seen=())
    values["name"] = Path(preset).stem if _is_file(preset) else preset
    changes: dict[str, Any] = {}
    for override in overrides:
        _set(changes, override)
    _unpin(changes)
    wanted_tiny = changes.get("tiny", tiny or values.get("tiny", False))
    values = _checked({**values, "tiny": wanted_tiny}, values["name"]).as_dict()
    if values["tiny"]:
        # Shrunk before the changes, so that a change of size or steps still has its way.
        values = _merged(values, shrunk(values["system"], values["model"]["architecture"] or ""))
    return _checked(_merged(values, changes), preset)


def _is_file(preset: str) -> bool:
    return preset.endswith(_SUFFIXES)


def _read(preset: str, seen: tuple[str, ...]) -> dict[str, Any]:
    if preset in seen:
        raise SettingsError(f"presets extend one another in a circle: {' -> '.join((*seen, preset))}")
    if not _is_file(preset) and preset not in _shipped() and preset in plug_ins():
        return {
            "system": preset,
            "title": f"{preset}, a system of another package",
            "video": dict(_PLUG_IN_VIDEO),
        }
    if _is_file(preset):
        path = Path(preset)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError("the preset file cannot be read", path=path, hint=str(error)) from error
    else:
        if preset not in _shipped():
            raise SettingsError(
                f"there is no preset {preset!r}",
                hint=did_you_mean(preset, (*preset_names(), *plug_ins())) + " A file must end in .yaml.",
            )
        text = (files("ipvg_eval.reference_generator.presets") / f"{preset}.yaml").read_text(encoding="utf-8")
    try:
        values = read_yaml(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SettingsError("the preset is not valid YAML", path=preset, hint=str(error)) from error
    if not isinstance(values, dict):
        raise SettingsError(
            "a preset is a mapping of sections to settings",
            path=preset,
            hint="Begin with a line such as `extends: vace-1.3b`.",
        )
    base = values.pop("extends", None)
    if "kind" in values:
        values["system"] = values.pop("kind")
    _unpin(values)
    if base is None:
        return values
    return _merged(_read(RENAMED.get(str(base), str(base)), (*seen, preset)), values)


def _unpin(change: dict[str, Any]) -> None:
    """A pinned commit belongs to its repository: who changes that and names no revision means the newest."""
    for section, repo, revision in _PINNED:
        part = change.get(section)
        if isinstance(part, dict) and repo in part:
            part.setdefault(revision, "main")


def _merged(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in change.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _known_keys() -> dict[str, tuple[str, ...]]:
    """Every settable key by its dotted name."""
    keys: dict[str, tuple[str, ...]] = {}
    for name, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            keys |= {f"{name}.{key}": (name, key) for key in section.model_fields}
        elif name != "name":
            keys[name] = (name,)
    return keys


def _set(changes: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    key = key.strip()
    if not equals:
        raise SettingsError(f"{override!r} sets nothing", hint="Write section.key=value.")
    place = _place(key)
    try:
        value = read_yaml(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SettingsError(f"the value of {key} is not valid YAML", hint=str(error)) from error
    target = changes
    for part in place[:-1]:
        target = target.setdefault(part, {})
    target[place[-1]] = value


def _place(key: str) -> tuple[str, ...]:
    known = _known_keys()
    if key.startswith("options.") and all(key.split(".")):
        return tuple(key.split("."))
    if key in known:
        return known[key]
    endings = [name for name in known if name.rpartition(".")[2] == key]
    if len(endings) == 1:
        return known[endings[0]]
    if endings:
        raise SettingsError(
            f"there are several settings {key!r}", hint="Use one of " + ", ".join(endings) + "."
        )
    if "." in key:
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    else:
        ending = difflib.get_close_matches(key, {name.rpartition(".")[2] for name in known}, n=1, cutoff=0.5)
        near = [name for name in known if name.rpartition(".")[2] in ending]
    meant = " or ".join(repr(name) for name in near)
    hint = f"Did you mean {meant}?" if near else "Known: " + ", ".join(sorted(known)) + "."
    raise SettingsError(f"there is no setting {key!r}", hint=hint)


def _checked(values: Mapping[str, Any], preset: str) -> Settings:
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        hint = None
        if first["type"] == "extra_forbidden":
            message = f"there is no setting {place!r}"
            hint = did_you_mean(place, _known_keys())
        else:
            what = first["msg"].removeprefix("Value error, ")
            message = f"{place}: {what}" if place else what
        raise SettingsError(f"preset {preset}: {message}", hint=hint) from error
