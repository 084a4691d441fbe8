"""Prompts as CLIP tokens: the published truncation, and windows that lose nothing.

The vocabulary is the one inside the open_clip package. The text is normalised as Hugging Face's
CLIPTokenizerFast does it (NFC, white space, lower case), which the published scores used;
open_clip's own cleaning also straightens curly quotes and unescapes HTML and so gives other tokens.
"""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from dataclasses import dataclass

from ipvg_eval.metrics.third_party import published_module

CONTEXT = 77
"""Tokens the text tower reads, its start and end token included."""

_CONTENT = CONTEXT - 2


@dataclass(frozen=True, kw_only=True)
class PromptTokens:
    """A prompt's tokens.

    Attributes:
        content: ids without the start and end token.
        start: id of the start token.
        end: id of the end token.
    """

    content: tuple[int, ...]
    start: int
    end: int

    @property
    def count(self) -> int:
        """Number of tokens, start and end included."""
        return len(self.content) + 2

    @property
    def cut_off(self) -> int:
        """Tokens that do not fit the text tower; 0 where the prompt fits."""
        return max(0, self.count - CONTEXT)

    def truncated(self) -> tuple[int, ...]:
        """Start token, the first 75 content tokens, end token: the published rule."""
        return (self.start, *self.content[:_CONTENT], self.end)

    def windows(self) -> list[tuple[int, ...]]:
        """The whole prompt as token sequences that each fit the text tower.

        Neighbouring windows without overlap on token borders: as few as possible, and their lengths differ
        by at most one token, so that no window is a short remainder. Each has its own start
        and end token. A prompt that fits is one window, equal to `truncated()`.
        """
        parts = max(1, math.ceil(len(self.content) / _CONTENT))
        borders = [round(k * len(self.content) / parts) for k in range(parts + 1)]
        return [(self.start, *self.content[a:b], self.end) for a, b in itertools.pairwise(borders)]


class ClipTokenizer:
    """CLIP's byte-pair encoding with Hugging Face's text normalisation.

    Raises:
        WeightsMissing: open_clip is not installed.
    """

    def __init__(self) -> None:
        self._bpe = published_module("open_clip.tokenizer", package="open_clip_torch").SimpleTokenizer()
        self._bpe.clean_fn = _normalise

    def __call__(self, prompt: str) -> PromptTokens:
        """Tokens of a prompt."""
        return PromptTokens(
            content=tuple(self._bpe.encode(prompt)), start=self._bpe.sot_token_id, end=self._bpe.eot_token_id
        )


def _normalise(text: str) -> str:
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).strip().lower()
