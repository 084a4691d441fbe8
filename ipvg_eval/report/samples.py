"""The samples of a run as the page shows them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ipvg_eval.core.row import Status
from ipvg_eval.errors import RunError
from ipvg_eval.results.reading import Run


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One sample.

    Attributes:
        sample: sample id.
        identity: identity it shares with others.
        video: path in the submission.
        status: how far it came.
        reason: why it was not scored, None if it was.
        damage: why part of it did not decode, None if all of it did.
        facts: size, length and codec in words, empty where the video did not open.
        fps: mean frame rate, None where the video did not open.
        duration: length in seconds, None where the video did not open.
        timeline: what should happen when, as the test set says it; None where nothing is said.
        values: one entry per metric, None where there is no value.
        remarks: reasons for missing values and notes, each said once.
    """

    sample: str
    identity: str
    video: str
    status: Status
    reason: str | None
    damage: str | None
    facts: str
    fps: float | None
    duration: float | None
    timeline: str | None
    values: Mapping[str, float | None]
    remarks: tuple[str, ...]

    @property
    def failed(self) -> bool:
        """Whether it could not be scored."""
        return self.status is not Status.SCORED


def read_samples(run: Run) -> tuple[Sample, ...]:
    """Every sample that has a row, in the test set's order.

    Raises:
        RunError: samples.parquet does not have the columns that run.json promises.
    """
    metrics = [spec.name for spec in run.info.specs]
    path = run.folder.path / "samples.parquet"
    try:
        return tuple(_sample(record, metrics) for record in run.samples.to_dict("records"))
    except (KeyError, ValueError, AttributeError) as error:
        raise RunError(
            f"this table does not fit the run ({type(error).__name__}: {error})",
            path=path,
            hint="Score again with the same arguments; finished samples are not measured again.",
        ) from error


def _sample(record: Mapping[Any, Any], metrics: list[str]) -> Sample:
    reason, damage = _text(record["reason"]), _text(record["damage"])
    missing = json.loads(_text(record["missing"]) or "{}")
    notes = json.loads(_text(record["notes"]) or "{}")
    return Sample(
        sample=str(record["sample"]),
        identity=str(record["identity"]),
        video=str(record["video"]),
        status=Status(record["status"]),
        reason=reason,
        damage=damage,
        facts=_facts(record),
        fps=_float(record["fps"]),
        duration=_float(record["duration"]),
        timeline=_text(record.get("timeline")),
        values={name: _float(record[name]) for name in metrics},
        remarks=tuple(_remarks(reason, damage, missing, notes)),
    )


def _remarks(
    reason: str | None, damage: str | None, missing: Mapping[str, str], notes: Mapping[str, str]
) -> list[str]:
    """The reasons of a row, metrics with the same text named together."""
    by_text: dict[str, list[str]] = {}
    for metric, text in [*missing.items(), *notes.items()]:
        by_text.setdefault(text, []).append(metric)
    remarks = [reason] if reason else []
    remarks += [f"decoded in part: {damage}"] if damage else []
    return remarks + [f"{', '.join(names)}: {text}" for text, names in by_text.items() if text != reason]


def _facts(record: Mapping[Any, Any]) -> str:
    if pd.isna(record["width"]):
        return ""
    codec = _text(record["codec"]) or "unknown codec"
    return (
        f"{record['width']:.0f}×{record['height']:.0f}, {record['frame_count']:.0f} frames, "
        f"{record['duration']:.2f} s at {record['fps']:.4g} fps, {codec}"
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _float(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)
