"""What was made of reference pictures, kept for the next video that is compared with them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Generic, TypeVar

from ipvg_eval.core.pictures import PictureInMemory

Result = TypeVar("Result")

_KEPT = 256


class ReferenceCache(Generic[Result]):
    """A function of a reference picture that remembers its latest results.

    Files are known by their paths, pictures in memory by their content, which itself is not kept.
    """

    def __init__(self, make: Callable[..., Result], *, kept: int = _KEPT) -> None:
        """Remember nothing yet.

        Args:
            make: takes the picture and what is given along.
            kept: how many results are remembered.
        """
        self._make = make
        self._kept = kept
        self._results: OrderedDict[Hashable, Result] = OrderedDict()

    def __call__(self, picture: Path | PictureInMemory, *beside: Hashable) -> Result:
        """The result for a picture; whatever `make` raises is raised, and not remembered."""
        known = picture.key if isinstance(picture, PictureInMemory) else picture.resolve()
        key = (known, *beside)
        if key not in self._results:
            self._results[key] = self._make(picture, *beside)
            if len(self._results) > self._kept:
                self._results.popitem(last=False)
        self._results.move_to_end(key)
        return self._results[key]
