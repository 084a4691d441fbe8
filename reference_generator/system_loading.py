"""From settings to models in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipvg_eval.reference_generator.cache import cache_folder
from ipvg_eval.reference_generator.models import Found, find_models
from ipvg_eval.reference_generator.settings import Settings
from ipvg_eval.reference_generator.systems.registry import kind_of

if TYPE_CHECKING:
    from ipvg_eval.reference_generator.rewriting.rewriter import TextRewriter
    from ipvg_eval.reference_generator.task import System


def models_of(settings: Settings) -> dict[str, Found]:
    """Where the models lie, tiny ones being built now.

    Raises:
        ModelsMissing: some are missing; the message lists all with their sizes.
    """
    if not settings.tiny:
        return find_models(settings)
    from ipvg_eval.reference_generator.systems.loading import quiet
    from ipvg_eval.reference_generator.tiny.folder import tiny_model

    quiet()
    found = {"video": tiny_model(settings.model.repo)}
    if settings.picture.use != "none":
        found["picture"] = tiny_model("tiny-picture")
    if settings.references.segment:
        found["segmenter"] = tiny_model("tiny-segmenter")
    return found


def load_system(settings: Settings, found: dict[str, Found]) -> System:
    """The system of these settings, on its device."""
    return kind_of(settings.system).load(settings, found)


def load_rewriter(settings: Settings, found: dict[str, Found]) -> TextRewriter | None:
    """The language model of these settings behind a cache on disk, or None."""
    prompt = settings.prompt
    if prompt.rewriter == "none":
        return None
    from ipvg_eval.reference_generator.rewriting.answer_cache import CachedRewriter

    rewriter: TextRewriter
    if prompt.rewriter == "endpoint":
        from ipvg_eval.reference_generator.rewriting.endpoint import EndpointRewriter

        rewriter = EndpointRewriter(prompt)
    else:
        from ipvg_eval.reference_generator.rewriting.local_model import LazyLocalRewriter

        rewriter = LazyLocalRewriter(found, settings)
    return CachedRewriter(rewriter, cache_folder() / "rewritten-prompts")
