"""What every kind of system says of itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from ipvg_eval.reference_generator.job import Job
    from ipvg_eval.reference_generator.models import Found
    from ipvg_eval.reference_generator.settings import Settings
    from ipvg_eval.reference_generator.systems.system import VideoSystem
    from ipvg_eval.reference_generator.task import System

OWN_SECTIONS = ("command", "http", "diffusers", "options")
"""Sections of the settings that count for the kinds that name them, and for no other."""


class Kind(ABC):
    """A kind of system.

    Attributes:
        section: the section of settings that is its own, one of `OWN_SECTIONS`; None without one.
        incidental: keys of that section that change no video.
        has_models: whether it reads models that lie on this machine.
        caches: values of `runtime.cache` that give right videos with it.
        identity_guidance: whether it knows the section `identity`.
        pictures: values of `picture.use` that it can work with.
    """

    section: ClassVar[str | None] = None
    incidental: ClassVar[frozenset[str]] = frozenset()
    has_models: ClassVar[bool] = True
    caches: ClassVar[tuple[str, ...]] = ()
    identity_guidance: ClassVar[bool] = False
    pictures: ClassVar[tuple[str, ...]] = ("none", "reference")

    def check(self, settings: Settings) -> None:
        """Raise ValueError where settings do not fit this kind."""
        if settings.identity.scale and not self.identity_guidance:
            raise ValueError("identity guidance needs a vace or phantom system; set identity.scale=0")
        if settings.picture.use not in self.pictures:
            raise ValueError(
                f"only a decoupled system starts from a first frame; a {settings.system} system takes "
                f"picture.use={' or '.join(self.pictures)}"
            )

    def tiny(self, architecture: str) -> str | None:
        """The tiny model that stands for one of this architecture; None where there is no tiny variant."""
        del architecture
        return None

    def tiny_settings(self) -> Mapping[str, Any]:
        """Further settings of the tiny variant."""
        return {}

    def forwards(self, settings: Settings) -> int:
        """Transformer passes per denoising step."""
        return 1 + (settings.sampling.guidance > 1)

    def latent_references(self, settings: Settings, jobs: Sequence[Job]) -> int:
        """Latent frames that the jobs' references cost at most."""
        del settings, jobs
        return 0

    def most_references(self, settings: Settings) -> int | None:
        """How many references it can use; None where no limit is known."""
        del settings
        return None

    @abstractmethod
    def load(self, settings: Settings, found: dict[str, Found]) -> System:
        """The system, ready for its first task.

        Raises:
            GeneratorError: it cannot be used here.
        """


class WanKind(Kind):
    """A kind around a Wan transformer on this machine."""

    def check(self, settings: Settings) -> None:
        """See `Kind.check`."""
        super().check(settings)
        if not settings.model.repo or settings.model.architecture is None:
            raise ValueError("model.repo and model.architecture say which model is meant; one is missing")
        _check_frames(settings.video.frames)
        if settings.timeline.overlap >= settings.video.frames:
            raise ValueError("timeline.overlap must be shorter than video.frames")

    @abstractmethod
    def classes(self) -> tuple[Any, Any]:
        """The pipeline's class and its transformer's."""

    @abstractmethod
    def system(self) -> type[VideoSystem]:
        """What is put around the pipeline."""

    def load(self, settings: Settings, found: dict[str, Found]) -> System:
        """See `Kind.load`."""
        from ipvg_eval.reference_generator.systems.loading import load_video_pipeline

        return self.system()(load_video_pipeline(settings, found), settings)


def _check_frames(frames: int) -> None:
    if frames < 5 or frames % 4 != 1:
        near = max(5, (frames - 1) // 4 * 4 + 1)
        raise ValueError(f"video.frames must be 4 n + 1, such as {near} or {near + 4}; it is {frames}")
