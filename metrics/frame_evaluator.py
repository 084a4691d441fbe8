"""Metrics with one value per frame: a new one is a spec, its maths and one encoder call.

A subclass says how a frame is prepared (`prepare`), makes its batches of an encoder in `__init__`, and turns
the encoder's rows into values (`values`). Which frames count how often, batches, notes and missing values
are done here.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from typing_extensions import override

from ipvg_eval.core.measurement import ClipInfo, FrameFeatures, Frames, FrameValues, Measurement
from ipvg_eval.metrics.batches import Batches, Item, Rows, Ticket
from ipvg_eval.metrics.evaluator import (
    NO_FRAME,
    NOT_FINITE,
    Evaluator,
    KnownPass,
    OptionsT,
    Pass,
    lost_frames,
    missing,
)
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.sampling import Sampling, schedule
from ipvg_eval.metrics.similarity import scheduled_mean
from ipvg_eval.metrics.target import Target

PromptT = TypeVar("PromptT")
Mean = Callable[[Sequence[int], Sequence[float], Mapping[int, int]], float | None]


@dataclass(frozen=True, kw_only=True, eq=False)
class FrameRows:
    """What an encoder made of one video's frames.

    Attributes:
        indices: the frames that could be read.
        rows: one row per frame, (n, ...); (0, 0) where none could be read.
        repeats: how often each wanted frame counts, by index.
    """

    indices: tuple[int, ...]
    rows: Rows
    repeats: Mapping[int, int]

    def note(self, *notes: str) -> str | None:
        """Notes on a value, with how many frames are lost."""
        return "; ".join([*notes, *lost_frames(len(self.indices), len(self.repeats))]) or None


def mean_over_frames(
    name: str,
    indices: tuple[int, ...],
    values: Sequence[float],
    repeats: Mapping[int, int],
    *,
    note: str | None = None,
    features: FrameFeatures | None = None,
    mean: Mean = scheduled_mean,
) -> Measurement:
    """A metric from one value per frame; missing without frames, or where a value is not finite."""
    if not indices or not np.isfinite(values).all():
        return Measurement(name=name, value=None, reason=NOT_FINITE if indices else NO_FRAME)
    return Measurement(
        name=name,
        value=mean(indices, values, repeats),
        note=note,
        per_frame=FrameValues(indices=indices, values=tuple(values)),
        features=features,
    )


class FrameEvaluator(Evaluator[OptionsT], Generic[Item, OptionsT]):
    """Gives every sampled frame a value; the clip's is their mean.

    Attributes:
        SAMPLING: how frames are chosen, as many as the option `BUDGET` says; None there takes all.
    """

    BUDGET: ClassVar[str]
    SAMPLING: ClassVar[Sampling] = "linspace"

    _batches: Batches[Item]

    def schedule(self, clip: ClipInfo) -> dict[int, int]:
        """How often each wanted frame counts, by index."""
        wanted: int | None = getattr(self._options, self.BUDGET)
        return schedule(self.SAMPLING, clip.frame_count, wanted or max(1, clip.frame_count))

    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """The frames of the schedule."""
        return tuple(self.schedule(clip))

    @override
    def start(self, target: Target, clip: ClipInfo) -> Pass:
        """Begin one video; references and prompt play no part."""
        return self._look(clip, self.measure)

    @abstractmethod
    def prepare(self, frame: Frames) -> Item:
        """A frame as it waits for the encoder, of its own memory."""

    def values(self, rows: Rows) -> list[float]:
        """The value of each row of the encoder's."""
        values: list[float] = rows.ravel().tolist()
        return values

    def measure(self, frames: FrameRows) -> list[Measurement]:
        """One measurement per spec; here the mean of the values."""
        values = self.values(frames.rows)
        return [
            mean_over_frames(spec.name, frames.indices, values, frames.repeats, note=frames.note())
            for spec in self.specs
        ]

    def _look(self, clip: ClipInfo, measure: Callable[[FrameRows], list[Measurement]]) -> Pass:
        return _FramePass(self._batches.ticket(), self.prepare, self.schedule(clip), measure)


class PromptEvaluator(FrameEvaluator[Item, OptionsT], Generic[Item, PromptT, OptionsT]):
    """Compares every sampled frame with the prompt; videos that share a prompt share its embedding."""

    _PROMPTS_KEPT: ClassVar[int] = 256

    def __init__(self, options: OptionsT, runtime: Runtime) -> None:
        super().__init__(options, runtime)
        self._prompt = lru_cache(maxsize=self._PROMPTS_KEPT)(self.encode_prompt)

    @abstractmethod
    def encode_prompt(self, prompt: str) -> PromptT:
        """The prompt's side of every comparison."""

    @abstractmethod
    def compare(self, prompt: PromptT, frames: FrameRows) -> list[Measurement]:
        """One measurement per spec."""

    def start(self, target: Target, clip: ClipInfo) -> Pass:
        """Begin one video; without a prompt no frame is looked at."""
        if not target.prompt.strip():
            return KnownPass(missing(self.specs, "the prompt is empty"))
        return self._look(clip, partial(self.compare, self._prompt(target.prompt)))


class _FramePass:
    """One video. Frames are prepared as they come and wait in that form for a full batch."""

    def __init__(
        self,
        ticket: Ticket[Any],
        prepare: Callable[[Frames], Any],
        repeats: Mapping[int, int],
        measure: Callable[[FrameRows], list[Measurement]],
    ) -> None:
        self._ticket = ticket
        self._prepare = prepare
        self._repeats = repeats
        self._measure = measure

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        for index, frame in zip(indices, frames, strict=True):
            self._ticket.add(index, self._prepare(frame))

    def finish(self) -> list[Measurement]:
        indices, rows = self._ticket.finish()
        return self._measure(FrameRows(indices=indices, rows=rows, repeats=self._repeats))
