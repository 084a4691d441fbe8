"""Clips of a study as files under random names, made by all cores and kept while the study is unfinished."""

from __future__ import annotations

import errno
import hashlib
import itertools
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import av

from ipvg_eval.leaderboard.study.checks import Clip
from ipvg_eval.leaderboard.study.clips import ENCODER, Facts, Shape
from ipvg_eval.leaderboard.study.errors import StudyError
from ipvg_eval.leaderboard.study.secret import new_media_id
from ipvg_eval.leaderboard.study.subjects import OpenVideo, StudySample, StudyTeam

OnClip = Callable[[int, int], None]

_Job = TypeVar("_Job")
_Result = TypeVar("_Result")


class ClipTools(Protocol):
    """What makes clips: the module `clips`, or one that works in limited processes."""

    def look(self, source: Path) -> Facts:
        """See `clips.look`."""

    def encode(self, source: Path, target: Path, shape: Shape, spoil: int | None = None) -> list[int]:
        """See `clips.encode`."""

    def pad(self, source: Path, target: Path, sizes: Sequence[int]) -> None:
        """See `clips.pad`."""


@dataclass(frozen=True, kw_only=True)
class MediaFile:
    """A clip that is ready.

    Attributes:
        media: its random name.
        duration: seconds.
    """

    media: str
    duration: float


@dataclass(frozen=True, kw_only=True)
class EncodeJob:
    """A clip to be encoded; `spoil` is the seed of a corrupted copy."""

    clip: Clip
    open_video: OpenVideo
    shape: Shape
    spoil: int | None = None


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """A clip that still needs its padding: the file, and the bytes of its frames."""

    path: Path
    shape: Shape
    sizes: tuple[int, ...]


class ClipShop:
    """Looks at videos, encodes and pads clips. What is done is found again by the content of its video.

    Args:
        folder: of what is done; made if it is not there.
        tools: what does the work.
        workers: threads; one per core where None.
        on_clip: called with steps done and steps in all.
    """

    def __init__(self, folder: Path, tools: ClipTools, workers: int | None, on_clip: OnClip | None) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self._folder, self._tools, self._on_clip = folder, tools, on_clip
        self._workers = workers or os.cpu_count() or 1
        self._done = self._planned = 0

    def look(
        self, teams: Sequence[StudyTeam], samples: Sequence[StudySample]
    ) -> tuple[dict[Clip, Facts], dict[Clip, str]]:
        """Facts about every video that plays, and for each other one why there is none."""
        problems: dict[Clip, str] = {}
        jobs: list[tuple[Clip, OpenVideo]] = []
        for sample, team in itertools.product(samples, teams):
            clip = Clip(sample=sample.id, team=team.name)
            if sample.id in team.videos:
                jobs.append((clip, team.videos[sample.id]))
            else:
                problems[clip] = team.absent.get(sample.id, "there is no video")
        self._planned = 3 * len(jobs)  # each is looked at, encoded and padded
        found: dict[Clip, Facts] = {}
        for (clip, _), result in self._each(lambda job: _tried(lambda: self._look(job[1])), jobs):
            if isinstance(result, Facts):
                found[clip] = result
            else:
                problems[clip] = result
        return found, problems

    def encode(self, jobs: Sequence[EncodeJob]) -> tuple[dict[Clip, Encoded], dict[Clip, str]]:
        """The clips that could be encoded, and for each other one why not."""
        made: dict[Clip, Encoded] = {}
        problems: dict[Clip, str] = {}
        for job, result in self._each(lambda job: _tried(lambda: self._encode(job)), jobs):
            if isinstance(result, Encoded):
                made[job.clip] = result
            else:
                problems[job.clip] = result
        return made, problems

    def pad(self, clips: Mapping[Clip, Encoded], media: Path) -> dict[Clip, MediaFile]:
        """Write the clips into `media`, each frame as large as the largest at its place in any clip."""
        every = (clip.sizes for clip in clips.values())
        sizes = [max(place) for place in itertools.zip_longest(*every, fillvalue=0)]
        self._planned = self._done + len(clips)

        def padded(clip: Clip) -> MediaFile:
            name, encoded = new_media_id(), clips[clip]
            self._tools.pad(encoded.path, media / name, sizes[: len(encoded.sizes)])
            return MediaFile(media=name, duration=encoded.shape.seconds)

        return dict(self._each(padded, list(clips)))

    def _each(self, work: Callable[[_Job], _Result], jobs: Sequence[_Job]) -> Iterable[tuple[_Job, _Result]]:
        with ThreadPoolExecutor(self._workers) as pool:
            try:
                for job, result in zip(jobs, pool.map(work, jobs), strict=True):
                    self._done += 1
                    if self._on_clip:
                        self._on_clip(self._done, max(self._done, self._planned))
                    yield job, result
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def _look(self, open_video: OpenVideo) -> Facts:
        with open_video() as source:
            note = self._folder / f"{_key('look', source, ENCODER)}.json"
            if not note.exists():
                _write_whole(note, json.dumps(asdict(self._tools.look(source))))
            return Facts(**json.loads(note.read_text("utf-8")))

    def _encode(self, job: EncodeJob) -> Encoded:
        with job.open_video() as source:
            key = _key("clip", source, ENCODER, repr(job.shape), repr(job.spoil))
            note, path = self._folder / f"{key}.json", self._folder / f"{key}.mp4"
            if not note.exists():
                sizes = self._tools.encode(source, path, job.shape, job.spoil)
                _write_whole(note, json.dumps(sizes))
        return Encoded(path=path, shape=job.shape, sizes=tuple(json.loads(note.read_text("utf-8"))))


def _key(purpose: str, source: Path, *more: str) -> str:
    with source.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256("\n".join((purpose, content, *more)).encode()).hexdigest()


def _write_whole(path: Path, text: str) -> None:
    """Write a note; it is there whole or not at all, and after what it speaks of."""
    part = path.with_name(f"{path.name}.{new_media_id()}.part")
    part.write_text(text, "utf-8")
    part.replace(path)


def _tried(work: Callable[[], _Result]) -> _Result | str:
    try:
        return work()
    except (av.FFmpegError, StudyError, ValueError) as error:
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        return f"the video does not play: {getattr(error, 'strerror', None) or error}"
