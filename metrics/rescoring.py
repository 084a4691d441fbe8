"""Recombining what an earlier run kept under other rules, without decoding a frame."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeGuard, runtime_checkable

from pydantic import BaseModel

from ipvg_eval.core.measurement import FrameFeatures, Measurement
from ipvg_eval.metrics.errors import MetricsError


class KeptMissing(MetricsError):
    """Something that a measurement is recombined from was not kept."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Kept:
    """What an earlier run kept of one video.

    Attributes:
        frame_count: number of frames of the video.
        measurements: by metric, with their per-frame values and embeddings.
    """

    frame_count: int
    measurements: Mapping[str, Measurement]

    def features(self, name: str) -> FrameFeatures:
        """The embeddings behind a measurement.

        Raises:
            KeptMissing: they are gone.
        """
        features = self.measurements[name].features
        if features is None or features.reference is None:
            raise KeptMissing(f"the embeddings of {name} are not in the run's features folder")
        return features


@runtime_checkable
class Rescoring(Protocol):
    """What an evaluator's class offers on top if its measurements can be recombined under other options.

    A measurement whose options are equal is copied and never comes here.
    """

    def cannot_rescore(self, name: str, options: Any, earlier: Any, reported: Collection[str]) -> str | None:
        """Why a metric cannot be recombined, None where it can.

        Args:
            name: the metric.
            options: the rules wanted.
            earlier: the rules of the run.
            reported: the metrics that the run kept of this evaluator.
        """
        ...

    def rescore(self, name: str, options: Any, earlier: Any, kept: Kept) -> Measurement:
        """What the metric would have been under other options.

        Raises:
            KeptMissing: embeddings it needs are gone.
        """
        ...


def can_rescore(cls: object) -> TypeGuard[Rescoring]:
    """Whether an evaluator's class recombines its measurements."""
    return isinstance(cls, Rescoring)


def disagreement(options: BaseModel, earlier: BaseModel, fields: Iterable[str]) -> str | None:
    """The options in which a run differs from what is wanted, None where they agree."""
    pairs = [(field, getattr(earlier, field), getattr(options, field)) for field in fields]
    different = [f"{field} {was!r} in the run, {now!r} wanted" for field, was, now in pairs if was != now]
    return "; ".join(different) or None


def not_reported(name: str, reported: Collection[str]) -> str | None:
    """Why a metric that is needed for another is not there, None where it is."""
    return None if name in reported else f"the run did not measure {name}"
