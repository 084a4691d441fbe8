"""The record beside every video: how it was made, or why it was not."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ipvg_eval.reference_generator.job import Job


class Record(BaseModel):
    """One sample's JSON file.

    Attributes:
        sample: sample id.
        video: its path in the submission.
        status: "made", or "failed" with a reason; a failed one is tried again when the run goes on.
        hash: of settings, job and model; equal hashes mean equal videos.
        video_sha256: of the file's bytes.
        preset: name of the system.
        tiny: whether the models were tiny random ones.
        seed: of this sample.
        prompt: text as the test set has it.
        prompts: text as the video model got it, one per event of a timeline.
        references: names of the picture files.
        revisions: commit of each model, by use.
        frames: pictures in the video.
        seconds: wall time of each stage.
        notes: what a reader must know, such as a rewrite that was refused.
        kind: what failed: "out-of-memory", "input", "rewriter", "system" (a command or server) or "error".
        reason: why there is no video.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    sample: str
    video: str
    status: Literal["made", "failed"]
    hash: str | None
    video_sha256: str | None = None
    preset: str
    tiny: bool
    seed: int
    prompt: str
    prompts: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    revisions: dict[str, str] = {}
    frames: int | None = None
    seconds: dict[str, float] = {}
    notes: tuple[str, ...] = ()
    kind: Literal["out-of-memory", "input", "rewriter", "system", "error"] | None = None
    reason: str | None = None


def records_folder(out: Path) -> Path:
    """Where the records of a submission folder lie: beside it, so that it holds videos alone."""
    return out.parent / f"{out.name}.records"


def record_path(out: Path, job: Job) -> Path:
    """A sample's record."""
    return records_folder(out) / f"{job.video.removesuffix('.mp4')}.json"


def read_record(path: Path) -> Record | None:
    """A record, or None if there is none that can be read."""
    try:
        return Record.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def write_record(path: Path, record: Record) -> None:
    """Write a record; readers see the old or the new one, never half of one."""
    write_json(path, record.model_dump(mode="json"))


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(path)
