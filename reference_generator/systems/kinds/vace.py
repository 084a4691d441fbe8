"""VACE, plain or with identity guidance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ipvg_eval.reference_generator.systems.kinds.kind import WanKind

if TYPE_CHECKING:
    from ipvg_eval.reference_generator.job import Job
    from ipvg_eval.reference_generator.settings import Settings
    from ipvg_eval.reference_generator.systems.system import VideoSystem


class VaceKind(WanKind):
    """References and known frames in VACE's own branch."""

    identity_guidance = True

    def check(self, settings: Settings) -> None:
        """See `Kind.check`."""
        super().check(settings)
        if settings.identity.scale and settings.sampling.guidance_low_noise is not None:
            raise ValueError(
                "identity guidance knows one guidance for both experts; leave sampling.guidance_low_noise out"
            )

    def tiny(self, architecture: str) -> str:
        """See `Kind.tiny`."""
        return "tiny-vace-a14b" if architecture == "vace-a14b" else "tiny-vace"

    def forwards(self, settings: Settings) -> int:
        """One more with guidance, and one more with identity guidance."""
        guided = settings.sampling.guidance > 1 or settings.identity.form == "code"
        return 1 + guided + (settings.identity.scale > 0)

    def latent_references(self, settings: Settings, jobs: Sequence[Job]) -> int:
        """One per picture."""
        del settings
        return max((len(job.references) for job in jobs), default=1)

    def classes(self) -> tuple[Any, Any]:
        """See `WanKind.classes`."""
        from diffusers import WanVACEPipeline

        from ipvg_eval.reference_generator.systems.identity_guidance import IdentityGuidedTransformer

        return WanVACEPipeline, IdentityGuidedTransformer

    def system(self) -> type[VideoSystem]:
        """See `WanKind.system`."""
        from ipvg_eval.reference_generator.systems.vace import VaceSystem

        return VaceSystem


KIND = VaceKind()
