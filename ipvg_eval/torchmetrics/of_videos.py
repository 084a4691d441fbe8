"""What the torchmetrics classes share: a scorer, and one entry per video."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any, Self

import torch

from ipvg_eval.core.packages import working_packages
from ipvg_eval.scoring import Recipe, Scorer
from ipvg_eval.scoring.one_video import Measured

with working_packages():
    from torchmetrics import Metric


class OfVideos(Metric):
    """Measures each video once, with a scorer that copies share."""

    is_differentiable = False
    full_state_update = False

    def __init__(self, recipe: Recipe | Scorer | None, metrics: Sequence[str] | None, **options: Any) -> None:
        super().__init__(**options)
        self.set_dtype(torch.float64)  # a process without videos sends its empty state in this type
        self.missing: list[dict[str, str]] = []
        self._recipe: Recipe | None = None
        self._scorer: Scorer | None = None
        if isinstance(recipe, Scorer):
            self._scorer = recipe if metrics is None else recipe.only(metrics)
        else:
            wanted = recipe or Recipe()
            self._recipe = wanted if metrics is None else replace(wanted, metrics=tuple(metrics))
            self._scorer = self._recipe.build()

    @property
    def scorer(self) -> Scorer:
        """What measures; one that came without its networks, out of a pickle, loads them here."""
        if self._scorer is None:
            assert self._recipe is not None
            self._scorer = self._recipe.build()
        return self._scorer

    def reset(self) -> None:
        """Forget every video."""
        super().reset()
        self.missing = []

    def plot(self, val: Any = None, ax: Any = None) -> Any:
        """A figure of a result, or of a list of them; see torchmetrics. Needs matplotlib.

        Args:
            val: what `compute` or `forward` gave, or a list of that; computed where None.
            ax: matplotlib's axes to draw on.
        """
        return self._plot(val, ax)

    def _keep_reasons(self, measured: Measured) -> None:
        self.missing.append(
            {one.name: one.reason for one in measured.row.measurements if one.reason is not None}
        )

    def _nothing(self, what: str) -> torch.Tensor:
        warnings.warn(what, stacklevel=4)
        return torch.tensor(math.nan, dtype=torch.float64, device=self.device)

    def _number(self, value: float) -> torch.Tensor:
        return torch.tensor(value, dtype=torch.float64, device=self.device)

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(super().__getstate__())
        return state | {"_scorer": self._scorer if self._recipe is None else None}

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        copied = type(self).__new__(type(self))
        memo[id(self)] = copied
        copied.__setstate__(deepcopy(self.__getstate__(), memo) | {"_scorer": self._scorer})
        return copied
