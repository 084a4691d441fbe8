"""Embeddings of texts, kept from one sample to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

_KEPT = 1024
_LEARNED_KEPT = 8192
_PER_PASS = 32


class TextRows:
    """What an encoder makes of texts, each encoded once for all samples.

    A text alone is encoded alone, and texts that are learned together in batches of their list, so that no
    text's embedding depends on which samples came before.
    """

    def __init__(self, encode: Callable[[Sequence[str]], npt.NDArray[Any]]) -> None:
        """Keep nothing yet.

        Args:
            encode: texts to rows, (n, d); must depend on the texts alone.
        """
        self._encode = encode
        self._learned: dict[str, npt.NDArray[Any]] = {}
        self._single = lru_cache(maxsize=_KEPT)(lambda text: encode([text])[0])

    def learn(self, texts: Sequence[str]) -> None:
        """Encode texts ahead, in batches of the list alone."""
        if all(text in self._learned for text in texts):
            return
        if len(self._learned) > _LEARNED_KEPT:
            self._learned.clear()
        for first in range(0, len(texts), _PER_PASS):
            some = texts[first : first + _PER_PASS]
            self._learned.update(zip(some, self._encode(some), strict=True))

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[Any]:
        """Rows of texts, (n, d); those not yet known are encoded one by one."""
        known = ((text, self._learned.get(text)) for text in texts)
        return np.stack([self._single(text) if row is None else row for text, row in known])
