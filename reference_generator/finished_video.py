"""Writing a video with its record and its strip of pictures."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from ipvg_eval.reference_generator.job import Job, file_sha256
from ipvg_eval.reference_generator.made_video import LookAt, check_clip, check_made, take
from ipvg_eval.reference_generator.overview import save_strip, stills_of
from ipvg_eval.reference_generator.plan import made_record
from ipvg_eval.reference_generator.record import Record, record_path, write_record
from ipvg_eval.reference_generator.settings import Settings
from ipvg_eval.reference_generator.task import Clip
from ipvg_eval.reference_generator.video_file import write_mp4

_TINY_STAMP = "made by tiny random models; this is noise"


@dataclass(frozen=True, kw_only=True)
class FinishedVideo:
    """What a video's record says beside the video itself.

    Attributes:
        job: what was asked for.
        hash: of everything that the video follows from.
        prompts: as the video model got them.
        references: pictures, as it got them.
        revisions: of each model, by use.
        seconds: wall time of each stage.
        notes: what a reader must know.
    """

    job: Job
    hash: str
    prompts: tuple[str, ...]
    references: Sequence[Image.Image]
    revisions: Mapping[str, str]
    seconds: Mapping[str, float]
    notes: tuple[str, ...]


def write_finished(
    finished: FinishedVideo, made: Clip | Path, settings: Settings, out: Path, look: LookAt
) -> Record:
    """Write video and record: the record first, so that a video without one is nobody's.

    Args:
        finished: what goes into the record.
        made: its pictures, or a file that a command or a server has made.
        settings: the system.
        out: the submission folder.
        look: reads a foreign file.

    Returns:
        The record.

    Raises:
        SystemFailed: what was made is no sound video of the wanted size.
    """
    video, place = out / finished.job.video, record_path(out, finished.job)
    for folder in (video.parent, place.parent):
        folder.mkdir(parents=True, exist_ok=True)
    temporary = place.with_name(f".{place.stem}.{os.getpid()}.mp4")
    begun = time.perf_counter()
    try:
        if isinstance(made, Path):
            take(made, temporary)
            found, notes = check_made(temporary, settings.video, look)
            frames, stills = found.frames, found.stills
        else:
            check_clip(made, settings.video)
            frames, notes, stills = len(made.pictures), made.notes, stills_of(made.pictures)
            stamp = _TINY_STAMP if settings.tiny else None
            wanted = settings.video
            write_mp4(temporary, made.pictures, fps=wanted.fps, crf=wanted.crf, comment=stamp)
        seconds = {**finished.seconds, "writing": time.perf_counter() - begun}
        record = made_record(
            finished.job,
            settings,
            hash=finished.hash,
            video_sha256=file_sha256(temporary),
            prompts=finished.prompts,
            revisions=dict(finished.revisions),
            frames=frames,
            seconds={name: round(value, 3) for name, value in seconds.items()},
            notes=(*finished.notes, *notes),
        )
        save_strip(place, finished.references, stills)
        write_record(place, record)
        temporary.replace(video)
    finally:
        temporary.unlink(missing_ok=True)
    return record
