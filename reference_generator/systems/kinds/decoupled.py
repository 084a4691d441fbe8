"""A first frame, then image-to-video."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ipvg_eval.reference_generator.systems.kinds.kind import WanKind

if TYPE_CHECKING:
    from ipvg_eval.reference_generator.settings import Settings
    from ipvg_eval.reference_generator.systems.system import VideoSystem

_TINY = {"ti2v-5b": "tiny-ti2v", "i2v-a14b": "tiny-i2v"}


class DecoupledKind(WanKind):
    """Wan's image-to-video transformers, one or two."""

    caches = ("fbcache",)
    pictures = ("none", "first_frame")

    def tiny(self, architecture: str) -> str:
        """See `Kind.tiny`."""
        return _TINY.get(architecture, "tiny-ti2v")

    def tiny_settings(self) -> Mapping[str, Any]:
        """See `Kind.tiny_settings`."""
        return {"picture": {"strength": 0.9}}

    def most_references(self, settings: Settings) -> int:
        """The one that the first frame is made from."""
        del settings
        return 1

    def classes(self) -> tuple[Any, Any]:
        """See `WanKind.classes`."""
        from diffusers import WanImageToVideoPipeline, WanTransformer3DModel

        return WanImageToVideoPipeline, WanTransformer3DModel

    def system(self) -> type[VideoSystem]:
        """See `WanKind.system`."""
        from ipvg_eval.reference_generator.systems.decoupled import DecoupledSystem

        return DecoupledSystem


KIND = DecoupledKind()
