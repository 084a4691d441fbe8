"""What is still to be made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ipvg_eval.reference_generator.errors import OutputInUse, SettingsError, UnreadableReference
from ipvg_eval.reference_generator.job import Job, Shard, file_sha256, job_hash, sample_seed
from ipvg_eval.reference_generator.models import Found
from ipvg_eval.reference_generator.record import Record, read_record, record_path
from ipvg_eval.reference_generator.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The jobs of this shard.

    Attributes:
        pending: jobs to make, with their hash.
        finished: how many are made already, with the same settings.
        unusable: jobs that cannot be begun, with the reason.
    """

    pending: tuple[tuple[Job, str], ...]
    finished: int
    unusable: tuple[tuple[Job, str], ...]


def revision_of(found: dict[str, Found]) -> str:
    """All models' revisions in one text."""
    return ", ".join(f"{name} {place.revision}" for name, place in sorted(found.items()))


def make_plan(
    jobs: Sequence[Job],
    settings: Settings,
    out: Path,
    *,
    revision: str,
    shard: Shard,
    overwrite: bool,
) -> Plan:
    """Which jobs of this shard are still to be made.

    Args:
        jobs: all jobs of the run.
        settings: the system.
        out: the submission folder.
        revision: of the models.
        shard: the part of the jobs that is this process's.
        overwrite: make videos anew that are there with other settings.

    Raises:
        SettingsError: there is no job, or two want one file.
        OutputInUse: the folder holds videos that other settings or somebody else made.
    """
    _check(jobs)
    pending, unusable, strange = [], [], []
    finished = 0
    for job in shard.of(jobs):
        try:
            wanted = job_hash(settings, job, revision)
        except UnreadableReference as error:
            unusable.append((job, str(error)))
            continue
        video, record = out / job.video, read_record(record_path(out, job))
        if video.exists():
            if _is_ours(video, record) and record is not None and record.hash == wanted:
                finished += 1
                continue
            strange.append(job.video)
        pending.append((job, wanted))
    if strange and not overwrite:
        raise OutputInUse(
            f"{len(strange)} videos are there that these settings did not make, such as {strange[0]}",
            path=out,
            hint="Choose another folder with --out, or make them anew with --overwrite.",
        )
    return Plan(pending=tuple(pending), finished=finished, unusable=tuple(unusable))


def _is_ours(video: Path, record: Record | None) -> bool:
    return record is not None and record.video_sha256 == file_sha256(video)


def _check(jobs: Sequence[Job]) -> None:
    if not jobs:
        raise SettingsError("there is nothing to generate", hint="Check the test set and --limit.")
    seen: set[str] = set()
    for job in jobs:
        parts = PurePosixPath(job.video).parts
        if job.video in seen or ".." in parts or PurePosixPath(job.video).is_absolute():
            raise SettingsError(f"sample {job.id} cannot be written to {job.video!r}")
        seen.add(job.video)


def failed_record(
    job: Job, settings: Settings, *, hash_: str | None, kind: str, reason: str, notes: tuple[str, ...] = ()
) -> Record:
    """The record of a sample that was not made."""
    return Record.model_validate(
        {
            **_facts(job, settings),
            "status": "failed",
            "hash": hash_,
            "kind": kind,
            "reason": reason,
            "notes": notes,
        }
    )


def made_record(job: Job, settings: Settings, **facts: object) -> Record:
    """The record of a sample that was made."""
    return Record.model_validate({**_facts(job, settings), "status": "made", **facts})


def _facts(job: Job, settings: Settings) -> dict[str, object]:
    return {
        "sample": job.id,
        "video": job.video,
        "preset": settings.name,
        "tiny": settings.tiny,
        "seed": sample_seed(settings, job.id),
        "prompt": job.prompt,
        "references": [path.name for path in job.references],
    }
