"""A language model on this machine, through transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ipvg_eval.reference_generator.errors import ModelsMissing, RewriteFailed
from ipvg_eval.reference_generator.models import Found
from ipvg_eval.reference_generator.pictures import read_picture
from ipvg_eval.reference_generator.rewriting.rewriter import Request
from ipvg_eval.reference_generator.settings import PromptSettings, Settings


class LocalRewriter:
    """A transformers `image-text-to-text` pipeline, greedy.

    Args:
        folder: the model's files.
        settings: length of an answer, and the model's name.
        device: torch device.
        dtype: name of a torch dtype.
    """

    def __init__(self, folder: Path, settings: PromptSettings, *, device: str, dtype: str) -> None:
        from transformers import pipeline

        from ipvg_eval.reference_generator.systems.loading import quiet

        quiet()

        self._settings = settings
        try:
            self._pipeline: Any = pipeline(
                "image-text-to-text",
                model=str(folder),
                device=device,
                dtype=dtype,
            )
        except (OSError, ValueError) as error:
            raise ModelsMissing(
                f"the language model cannot be loaded ({error})",
                path=folder,
                hint="It must be a model for image-text-to-text with its processor; see prompt.model.",
            ) from error

    @property
    def name(self) -> str:
        """The model's name."""
        return f"local {self._settings.model}"

    def rewrite(self, request: Request) -> str:
        """The model's answer. See `TextRewriter.rewrite`."""
        content: list[dict[str, Any]] = []
        if request.picture is not None:
            content.append({"type": "image", "image": read_picture(request.picture)})
        content.append({"type": "text", "text": f"{request.instruction}\n\n{request.text}"})
        answer = self._pipeline(
            text=[{"role": "user", "content": content}],
            max_new_tokens=self._settings.max_tokens,
            generate_kwargs={"do_sample": False},
            return_full_text=False,
        )
        text = str(answer[0]["generated_text"]).strip()
        if not text:
            raise RewriteFailed("the language model's answer is empty")
        return text

    def close(self) -> None:
        """Drop the model, so that its memory can be used by the next stage."""
        self._pipeline = None


class LazyLocalRewriter:
    """A local language model that is loaded when the first question is not answered by the cache.

    Args:
        found: where the models lie; "rewriter" is the language model.
        settings: the system.
    """

    def __init__(self, found: dict[str, Found], settings: Settings) -> None:
        self._folder = found["rewriter"].path
        self._revision = found["rewriter"].revision
        self._settings = settings
        self._model: LocalRewriter | None = None

    @property
    def name(self) -> str:
        """The model's name and revision."""
        return f"local {self._settings.prompt.model} {self._revision}"

    def rewrite(self, request: Request) -> str:
        """The model's answer. See `TextRewriter.rewrite`."""
        if self._model is None:
            from ipvg_eval.reference_generator.systems.features import resolve_device

            device = resolve_device(self._settings.runtime.device)
            self._model = LocalRewriter(
                self._folder, self._settings.prompt, device=str(device), dtype=self._settings.runtime.dtype
            )
        return self._model.rewrite(request)

    def close(self) -> None:
        """Drop the model."""
        self._model = None
