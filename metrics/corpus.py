"""Metrics of a whole submission, computed from the features its videos left behind."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, cast

from ipvg_eval.core.measurement import FrameFeatures
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.metrics.errors import ProtocolError

CORPUS_METRICS: dict[str, str] = {
    "face_fid": "ipvg_eval.metrics.faces.corpus:FACE_FID",
    "fid": "ipvg_eval.metrics.talking.corpus:FID",
    "fvd": "ipvg_eval.metrics.talking.corpus:FVD",
    "fvd_floor": "ipvg_eval.metrics.talking.corpus:FVD_FLOOR",
}
"""Where each corpus metric lives, "module:attribute"."""


@dataclass(frozen=True, kw_only=True)
class CorpusValue:
    """One number about a whole submission, or none and the reason.

    Attributes:
        value: the number, or None.
        reason: why there is none; None exactly where there is one.
        samples: how many feature rows it was computed from.
        references: how many reference rows.
    """

    value: float | None
    reason: str | None
    samples: int
    references: int


class CorpusMetric(Protocol):
    """A metric of a whole submission.

    Attributes:
        spec: what its number means.
        needs: the per-video metric whose features it is computed from.
    """

    @property
    def spec(self) -> MetricSpec:
        """What its number means."""
        ...

    @property
    def needs(self) -> str:
        """The per-video metric whose features it is computed from."""
        ...

    def __call__(self, features: Iterable[FrameFeatures]) -> CorpusValue:
        """Compute it from one entry per video."""
        ...


def corpus_metric(name: str) -> CorpusMetric:
    """The corpus metric of this name.

    Raises:
        ProtocolError: there is none.
    """
    if name not in CORPUS_METRICS:
        raise ProtocolError(f"no corpus metric is called {name!r}", hint=did_you_mean(name, CORPUS_METRICS))
    module, _, attribute = CORPUS_METRICS[name].partition(":")
    return cast(CorpusMetric, getattr(importlib.import_module(module), attribute))
