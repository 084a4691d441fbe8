"""Phantom: references as last latent frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ipvg_eval.reference_generator.systems.kinds.kind import WanKind

if TYPE_CHECKING:
    from ipvg_eval.reference_generator.job import Job
    from ipvg_eval.reference_generator.settings import Settings
    from ipvg_eval.reference_generator.systems.system import VideoSystem


_MOST_REFERENCES = 4


class PhantomKind(WanKind):
    """Wan's text-to-video transformer with three-branch guidance."""

    caches = ("fbcache",)
    identity_guidance = True

    def check(self, settings: Settings) -> None:
        """See `Kind.check`."""
        super().check(settings)
        distilled = settings.sampling.guidance == settings.phantom.image_guidance == 1
        if settings.sampling.guidance <= 1 and not distilled:
            raise ValueError(
                "phantom's guidance has three branches; sampling.guidance must be above 1, or both it and "
                "phantom.image_guidance 1 for a model that is distilled to no guidance"
            )

    def tiny(self, architecture: str) -> str:
        """See `Kind.tiny`."""
        del architecture
        return "tiny-wan"

    def forwards(self, settings: Settings) -> int:
        """One per branch, and one more with identity guidance."""
        return (3 if settings.sampling.guidance > 1 else 1) + (settings.identity.scale > 0)

    def latent_references(self, settings: Settings, jobs: Sequence[Job]) -> int:
        """One per picture, or the model's fixed number."""
        most = max((len(job.references) for job in jobs), default=1)
        return settings.phantom.slots or min(most, _MOST_REFERENCES)

    def most_references(self, settings: Settings) -> int:
        """As its authors say."""
        return settings.phantom.slots or _MOST_REFERENCES

    def classes(self) -> tuple[Any, Any]:
        """See `WanKind.classes`."""
        from diffusers import WanPipeline

        from ipvg_eval.reference_generator.systems.phantom_guidance import PhantomTransformer

        return WanPipeline, PhantomTransformer

    def system(self) -> type[VideoSystem]:
        """See `WanKind.system`."""
        from ipvg_eval.reference_generator.systems.phantom import PhantomSystem

        return PhantomSystem


KIND = PhantomKind()
