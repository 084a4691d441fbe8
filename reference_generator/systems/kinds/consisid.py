"""ConsisID: the face's low and high frequencies as conditions of CogVideoX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipvg_eval.reference_generator.systems.kinds.kind import Kind

if TYPE_CHECKING:
    from ipvg_eval.reference_generator.models import Found
    from ipvg_eval.reference_generator.settings import Settings
    from ipvg_eval.reference_generator.task import System


class ConsisIdKind(Kind):
    """diffusers' pipeline with the face models that it needs."""

    def check(self, settings: Settings) -> None:
        """See `Kind.check`."""
        super().check(settings)
        video, runtime = settings.video, settings.runtime
        if not settings.model.repo:
            raise ValueError("model.repo says which model is meant; it is empty")
        if video.frames % 4 != 1 or video.frames < 5:
            raise ValueError(f"video.frames must be 4 n + 1, such as 49; it is {video.frames}")
        if video.width % 16 or video.height % 16:
            raise ValueError("ConsisID makes sizes in steps of 16 pixels, such as 720x480")
        if runtime.cache != "none" or runtime.quantisation != "none":
            raise ValueError("a consisid system knows neither runtime.cache nor runtime.quantisation")

    def tiny(self, architecture: str) -> str:
        """See `Kind.tiny`."""
        del architecture
        return "tiny-consisid"

    def most_references(self, settings: Settings) -> int:
        """One face."""
        del settings
        return 1

    def load(self, settings: Settings, found: dict[str, Found]) -> System:
        """See `Kind.load`."""
        from ipvg_eval.reference_generator.systems.consisid import ConsisIdSystem

        return ConsisIdSystem(settings, found)


KIND = ConsisIdKind()
