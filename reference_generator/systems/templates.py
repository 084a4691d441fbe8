"""Placeholders in the settings of systems that need no code.

`{prompt}`, `{negative_prompt}`, `{id}`, `{seed}`, `{width}`, `{height}`, `{frames}`, `{fps}`, `{seconds}`,
`{steps}`, `{guidance}`, `{model}`, `{ref}` (the first reference), `{refs}` (all of them), and what a kind of
system adds, such as `{out}`, where a command puts the video. `{{` and `}}` stand for braces.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.reference_generator.errors import SystemUnusable
from ipvg_eval.reference_generator.settings import Settings
from ipvg_eval.reference_generator.task import Task

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")
_ENVIRONMENT = "env:"
COMMON = frozenset(
    {"prompt", "negative_prompt", "id", "seed", "width", "height", "frames", "fps", "seconds", "steps"}
    | {"guidance", "model", "ref", "refs"}
)
"""Names that every kind of system knows."""


def common_fields(task: Task, settings: Settings) -> dict[str, Any]:
    """Values of the placeholders that every kind of system knows, references aside."""
    video, sampling = settings.video, settings.sampling
    frames = video.frames
    prompt = task.texts[0]
    if task.events:
        frames = max(2, round(min(task.events[-1].end, settings.timeline.max_seconds) * video.fps))
        prompt = "\n".join(
            f"{event.start:g}-{event.end:g}s: {text}"
            for event, text in zip(task.events, task.texts, strict=True)
        )
    return {
        "prompt": prompt,
        "negative_prompt": sampling.negative_prompt,
        "id": task.desk.id if task.desk is not None else "",
        "seed": task.seed,
        "width": video.width,
        "height": video.height,
        "frames": frames,
        "fps": _whole(video.fps),
        "seconds": _whole(round(frames / video.fps, 3)),
        "steps": sampling.steps,
        "guidance": sampling.guidance,
        "model": settings.model.repo,
    }


def filled(value: Any, fields: Mapping[str, Any]) -> Any:
    """A setting with its placeholders filled in.

    A text that is one placeholder and nothing else becomes the value itself, be it a number or a list; inside
    a list, a list takes the place of its placeholder. What is filled in is never read for placeholders again.
    """
    if isinstance(value, str):
        if (only := re.fullmatch(r"\{([^{}:]+)\}", value)) is not None:
            return fields[only[1]]
        return _PLACEHOLDER.sub(lambda found: _text(found, fields), value)
    if isinstance(value, Mapping):
        return {key: filled(entry, fields) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        entries: list[Any] = []
        for entry in value:
            made = filled(entry, fields)
            entries += made if isinstance(made, list) and isinstance(entry, str) else [made]
        return entries
    return value


def check_placeholders(value: Any, known: Iterable[str], where: str) -> None:
    """Raise ValueError where a placeholder is not known."""
    names = frozenset(known)
    for text in _texts(value):
        for found in _PLACEHOLDER.finditer(text):
            name = found[1]
            if name is None or name in names or (name.startswith(_ENVIRONMENT) and len(name) > 4):
                continue
            raise ValueError(
                f"{where}: there is no placeholder {{{name}}}. {did_you_mean(name, names)} "
                "Write {{ and }} for braces."
            )


def environment_names(value: Any) -> set[str]:
    """Environment variables that a setting's placeholders name."""
    names = (found[1] for text in _texts(value) for found in _PLACEHOLDER.finditer(text))
    return {name.removeprefix(_ENVIRONMENT) for name in names if name and name.startswith(_ENVIRONMENT)}


def require_environment(names: Iterable[str], where: str) -> None:
    """Raise SystemUnusable where one of these variables is not set."""
    missing = sorted(name for name in names if not os.environ.get(name))
    if missing:
        raise SystemUnusable(
            f"the environment lacks {', '.join(f'${name}' for name in missing)}",
            hint=f"Set what {where} names, for example: export {missing[0]}=...",
        )


def _text(found: re.Match[str], fields: Mapping[str, Any]) -> str:
    name = found[1]
    if name is None:
        return found[0][0]
    if name.startswith(_ENVIRONMENT):
        return os.environ.get(name.removeprefix(_ENVIRONMENT), "")
    value = fields[name]
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from _texts(entry)
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from _texts(entry)


def _whole(number: float) -> float | int:
    return int(number) if number == int(number) else number
