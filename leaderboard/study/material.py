"""Clips of a study as files under random names."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from ipvg_eval.leaderboard.study.checks import Clip
from ipvg_eval.leaderboard.study.clips import corrupted_clip
from ipvg_eval.leaderboard.study.errors import StudyError
from ipvg_eval.leaderboard.study.plan import random_stream
from ipvg_eval.leaderboard.study.secret import new_media_id
from ipvg_eval.leaderboard.study.subjects import OpenVideo, StudySample, StudyTeam

OnClip = Callable[[int, int], None]
MakeClip = Callable[[Path, Path, Sequence[str]], float]
"""Makes a clip of a video without the forbidden texts; gives its seconds. See `clips.anonymous_clip`."""

_MOST_CORRUPTED = 40


@dataclass(frozen=True, kw_only=True)
class MediaFile:
    """A clip that is ready.

    Attributes:
        media: its random name.
        duration: seconds.
    """

    media: str
    duration: float


def prepare_clips(
    teams: Sequence[StudyTeam],
    samples: Sequence[StudySample],
    media: Path,
    on_clip: OnClip | None,
    workers: int | None,
    make_clip: MakeClip,
) -> tuple[dict[Clip, MediaFile], dict[Clip, str]]:
    """Make every team's clip of every sample.

    Returns:
        the clips that are ready, and for each other one why there is none.
    """
    forbidden = [team.name for team in teams]
    problems: dict[Clip, str] = {}
    jobs: list[tuple[Clip, OpenVideo]] = []
    for sample in samples:
        for team in teams:
            clip = Clip(sample=sample.id, team=team.name)
            if sample.id in team.videos:
                jobs.append((clip, team.videos[sample.id]))
            else:
                problems[clip] = team.absent.get(sample.id, "there is no video")
    made: dict[Clip, MediaFile] = {}
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        results = pool.map(lambda job: _prepare(job[1], media, forbidden, make_clip), jobs)
        for done, ((clip, _), result) in enumerate(zip(jobs, results, strict=True), start=1):
            if isinstance(result, MediaFile):
                made[clip] = result
            else:
                problems[clip] = result
            if on_clip:
                on_clip(done, len(jobs))
    return made, problems


def _prepare(
    open_video: OpenVideo, media: Path, forbidden: Iterable[str], make_clip: MakeClip
) -> MediaFile | str:
    name = new_media_id()
    try:
        with open_video() as source:
            duration = make_clip(source, media / name, [*forbidden, source.stem])
    except (av.FFmpegError, StudyError, ValueError) as error:
        (media / name).unlink(missing_ok=True)
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        return f"the video does not play: {getattr(error, 'strerror', None) or error}"
    return MediaFile(media=name, duration=duration)


def corrupt_clips(
    clips: Mapping[Clip, MediaFile], per_sheet: int, media: Path, seed: int
) -> dict[Clip, MediaFile]:
    """Corrupted copies of some clips: twice as many as a sheet needs, so that sheets differ."""
    rng = random_stream(seed, "corrupted")
    count = min(len(clips), max(per_sheet, min(2 * per_sheet, _MOST_CORRUPTED)))
    noise = np.random.default_rng(seed)
    spoilt: dict[Clip, MediaFile] = {}
    for clip in rng.sample(sorted(clips, key=lambda clip: (clip.sample, clip.team)), count):
        name = new_media_id()
        duration = corrupted_clip(media / clips[clip].media, media / name, rng=noise)
        copy = Clip(sample=clip.sample, team=clip.team, corrupted=True)
        spoilt[copy] = MediaFile(media=name, duration=duration)
    return spoilt
