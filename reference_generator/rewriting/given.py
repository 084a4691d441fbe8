"""Prompts that somebody else has rewritten, from a file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.reference_generator.errors import SettingsError
from ipvg_eval.reference_generator.job import Job


@dataclass(frozen=True, kw_only=True)
class GivenTexts:
    """What a file says about one sample.

    Attributes:
        video: one prompt for the video model, or one per event of a timeline.
        picture: prompt for the picture model, None to have it written.
    """

    video: tuple[str, ...]
    picture: str | None = None


def with_given_prompts(jobs: Sequence[Job], path: Path) -> list[Job]:
    """The jobs with the prompts of a file.

    Args:
        jobs: the videos to make.
        path: JSON lines, `{"sample": ID, "prompt": TEXT or one per event, "picture": TEXT}`; or a JSON object
            `{IDENTITY: {"1": TEXT, ...}}`, where TEXT belongs to the sample IDENTITY/prompt1, the form
            in which TPIGE's authors publish their answers.

    Raises:
        SettingsError: the file cannot be read, or lacks a prompt.
    """
    try:
        given = dict(_entries(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("the file of prompts cannot be read", path=path, hint=str(error)) from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise SettingsError(
            f"the file of prompts is not understood ({error})",
            path=path,
            hint='Write a line {"sample": "id001/prompt1", "prompt": "..."} per sample.',
        ) from error
    missing = [job.id for job in jobs if job.id not in given]
    if missing:
        raise SettingsError(
            f"the file has no prompt for {len(missing)} samples, such as {missing[0]}",
            path=path,
            hint=did_you_mean(missing[0], given),
        )
    return [replace(job, given=given[job.id].video, given_picture=given[job.id].picture) for job in jobs]


def _entries(text: str) -> Iterator[tuple[str, GivenTexts]]:
    try:
        whole = json.loads(text)
    except json.JSONDecodeError:
        whole = None
    if isinstance(whole, dict) and "sample" not in whole:
        for identity, prompts in whole.items():
            for number, prompt in prompts.items():
                yield f"{identity}/prompt{number}", GivenTexts(video=_texts(prompt))
        return
    for line in text.splitlines():
        if line.strip():
            yield _line(json.loads(line))


def _line(entry: Mapping[str, Any]) -> tuple[str, GivenTexts]:
    unknown = set(entry) - {"sample", "prompt", "picture"}
    if unknown:
        raise ValueError(f"unknown key {sorted(unknown)[0]!r}")
    picture = entry.get("picture")
    return str(entry["sample"]), GivenTexts(
        video=_texts(entry["prompt"]), picture=None if picture is None else _texts(picture)[0]
    )


def _texts(value: Any) -> tuple[str, ...]:
    texts = tuple(value) if isinstance(value, list) else (value,)
    if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
        raise ValueError("a prompt is empty or no text")
    return texts
