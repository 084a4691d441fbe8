"""Answers of language models on disk."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from ipvg_eval.reference_generator.job import file_sha256
from ipvg_eval.reference_generator.record import write_json
from ipvg_eval.reference_generator.rewriting.rewriter import TEMPLATE_VERSION, Request, TextRewriter


class CachedRewriter:
    """Asks a language model only what it has not answered before.

    Args:
        rewriter: the model.
        folder: where answers are kept, one file each.
    """

    def __init__(self, rewriter: TextRewriter, folder: Path) -> None:
        self._rewriter = rewriter
        self._folder = folder

    @property
    def name(self) -> str:
        """The model's name."""
        return self._rewriter.name

    def rewrite(self, request: Request) -> str:
        """The kept answer, else the model's, which is kept. See `TextRewriter.rewrite`."""
        facts = {
            "model": self._rewriter.name,
            "template": TEMPLATE_VERSION,
            "instruction": request.instruction,
            "picture": file_sha256(request.picture) if request.picture else None,
            "text": request.text,
        }
        key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        path = self._folder / key[:2] / f"{key}.json"
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))["answer"]
        except (OSError, ValueError, LookupError, TypeError):
            kept = None
        if isinstance(kept, str):
            return kept
        answer = self._rewriter.rewrite(request)
        write_json(path, {**facts, "answer": answer})
        return answer

    def close(self) -> None:
        """Free the model."""
        self._rewriter.close()
