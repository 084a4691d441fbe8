"""What a system is asked for, and what it answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from ipvg_eval.core.timeline import Event
from ipvg_eval.reference_generator.job import Job
from ipvg_eval.reference_generator.video_file import Pictures


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Where a system that is no model of ours works on one video.

    Attributes:
        id: the sample's.
        hash: of everything that the video follows from.
        files: the reference pictures' files, in the order of `Task.references`.
        scratch: an empty folder that is gone when the video is.
        kept: a file beside the record, for what must outlive an interruption.
    """

    id: str
    hash: str
    files: tuple[Path, ...]
    scratch: Path
    kept: Path


@dataclass(frozen=True, kw_only=True)
class Task:
    """One video, ready for the system.

    Attributes:
        seed: of this video.
        texts: one prompt, or one per event.
        events: the timeline's events, empty without one; as many as texts.
        references: reference pictures, at least one.
        first_frame: picture that a decoupled system starts from, else None.
        desk: the sample's place on the disk; None where only pictures in memory are wanted.
    """

    seed: int
    texts: tuple[str, ...]
    references: tuple[Image.Image, ...]
    events: tuple[Event, ...] = ()
    first_frame: Image.Image | None = None
    desk: Desk | None = None


@dataclass(frozen=True, kw_only=True)
class Clip:
    """A made video.

    Attributes:
        pictures: (n, height, width, 3) RGB uint8.
        notes: what a reader must know.
    """

    pictures: Pictures
    notes: tuple[str, ...] = ()


class System(ABC):
    """Makes videos, one per task.

    Attributes:
        concurrency: videos that may be made at the same time, each in its own thread.
        wants_desk: whether its tasks come with a place on the disk.
        on_step: told after a step of the video at hand, where the system knows steps: how many are done, and
            of how many.
    """

    concurrency: int = 1
    wants_desk: bool = True
    on_step: Callable[[int, int], object] | None = None

    def begin(self, jobs: Sequence[tuple[Job, str]], records: Path) -> None:
        """Look at all that will be asked for, with its hashes, before the first task.

        Args:
            jobs: the videos to make.
            records: folder of the records.

        Raises:
            GeneratorError: the run cannot be carried out.
        """
        del jobs, records

    @abstractmethod
    def make(self, task: Task) -> Clip | Path:
        """One video: its pictures, or a file in the task's scratch folder.

        Raises:
            SampleFailed: this video cannot be made; others may.
            GeneratorError: none can be made.
        """

    def stop(self) -> None:
        """End what is still at work, from any thread: nobody waits for it any more."""
        return

    def close(self) -> None:
        """Free what is held."""
        return
