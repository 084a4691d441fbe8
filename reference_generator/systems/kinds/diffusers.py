"""Any pipeline of diffusers, called as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipvg_eval.reference_generator.systems.kinds.kind import Kind

if TYPE_CHECKING:
    from ipvg_eval.reference_generator.models import Found
    from ipvg_eval.reference_generator.settings import Settings
    from ipvg_eval.reference_generator.task import System


class DiffusersKind(Kind):
    """Its settings are the section `diffusers`; the model is that of `model`."""

    section = "diffusers"

    def check(self, settings: Settings) -> None:
        """See `Kind.check`."""
        from ipvg_eval.reference_generator.systems.templates import COMMON, check_placeholders

        super().check(settings)
        if not settings.diffusers.pipeline:
            raise ValueError("diffusers.pipeline is empty; it is the pipeline's class, such as WanPipeline")
        if not settings.model.repo and not settings.model.path:
            raise ValueError("model.repo or model.path says which model is meant; both are empty")
        check_placeholders(settings.diffusers.arguments, COMMON, "diffusers.arguments")
        if settings.runtime.cache != "none" or settings.runtime.quantisation != "none":
            raise ValueError(
                "a pipeline of kind diffusers knows neither runtime.cache nor runtime.quantisation"
            )

    def load(self, settings: Settings, found: dict[str, Found]) -> System:
        """See `Kind.load`."""
        from ipvg_eval.reference_generator.systems.any_pipeline import AnyPipeline

        return AnyPipeline(settings, found)


KIND = DiffusersKind()
