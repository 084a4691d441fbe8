"""OpenS2V-Eval's aesthetic score of a video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from ipvg_eval.core.measurement import ClipInfo, Frames, FrameValues, Measurement
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.batches import Batches, Ticket
from ipvg_eval.metrics.clip.encoder import ClipEncoder
from ipvg_eval.metrics.clip.preprocess import clip_pixels
from ipvg_eval.metrics.opens2v.aesthetic_head import AestheticHead
from ipvg_eval.metrics.opens2v.normalisation import unit_aesthetic
from ipvg_eval.metrics.opens2v.spec import AESTHETIC, AESTHETIC_UNIT, CLIP_WEIGHTS, HEAD_WEIGHTS
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.sampling import schedule
from ipvg_eval.metrics.similarity import scheduled_mean
from ipvg_eval.metrics.target import Target


class AestheticOptions(BaseModel):
    """The published rule, and what may be changed of it.

    Attributes:
        frame_count: floor(linspace(0, N - 1, frame_count)) are looked at; a frame that is named more than
            once counts as often.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    frame_count: int = Field(default=32, ge=1)


class AestheticScore:
    """Judges every frame by itself, with CLIP ViT-L/14 and a small network on its embedding.

    Attributes:
        specs: aesthetic_score and the same on the scale from 0 to 1.
        weights: sha256 of CLIP and of the head.
    """

    Options: ClassVar[type[AestheticOptions]] = AestheticOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = (AESTHETIC, AESTHETIC_UNIT)
    BUDGET: ClassVar[str] = "frame_count"

    weights: Mapping[str, str]

    def __init__(self, options: AestheticOptions, runtime: Runtime) -> None:
        """Load both networks.

        Raises:
            WeightsMissing: open_clip or a checkpoint is not on this machine.
        """
        self.specs = self.SPECS
        self._options = options
        self._head = AestheticHead(runtime)
        encoder = ClipEncoder.load(CLIP_WEIGHTS, runtime)
        self._batches = Batches(encoder.images, runtime.batch_size, crossing=runtime.crossing)
        assert runtime.weights is not None
        self.weights = {CLIP_WEIGHTS: runtime.weights.sha256(CLIP_WEIGHTS), **self._head.weights}

    @classmethod
    def specs_for(cls, options: AestheticOptions) -> tuple[MetricSpec, ...]:  # noqa: ARG003
        """All of them, whatever the options."""
        return cls.SPECS

    @staticmethod
    def required_weights(options: AestheticOptions) -> tuple[str, ...]:  # noqa: ARG004
        """CLIP and the head, whatever the options."""
        return (CLIP_WEIGHTS, HEAD_WEIGHTS)

    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """Evenly spread frames, first and last included."""
        return tuple(self._schedule(clip))

    def start(self, target: Target, clip: ClipInfo) -> AestheticPass:  # noqa: ARG002
        """Begin a video; references and prompt play no part."""
        return AestheticPass(self._head, self._schedule(clip), self._batches.ticket())

    def _schedule(self, clip: ClipInfo) -> dict[int, int]:
        return schedule("linspace_repeat", clip.frame_count, self._options.frame_count)


class AestheticPass:
    """One video. Frames are shrunk as they come and wait in that form for a full batch."""

    def __init__(
        self, head: AestheticHead, repeats: Mapping[int, int], batches: Ticket[npt.NDArray[np.uint8]]
    ) -> None:
        self._head = head
        self._repeats = repeats
        self._batches = batches

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        """Prepare the next frames; full batches go through CLIP."""
        for index, frame in zip(indices, frames, strict=True):
            self._batches.add(index, clip_pixels(frame))

    def finish(self) -> list[Measurement]:
        """The mean mark of the frames that came, as it is and between 0 and 1."""
        indices, rows = self._batches.finish()
        if not indices:
            return _missing("no frame could be read")
        marks = tuple(float(mark) for mark in self._head.marks(rows))
        if not np.isfinite(marks).all():
            return _missing("the network's output is not finite")
        mean = scheduled_mean(indices, marks, self._repeats)
        assert mean is not None
        note = None
        if len(indices) < len(self._repeats):
            note = f"{len(indices)} of {len(self._repeats)} frames could be read"
        per_frame = FrameValues(indices=indices, values=marks)
        return [
            Measurement(name=AESTHETIC.name, value=mean, note=note, per_frame=per_frame),
            Measurement(name=AESTHETIC_UNIT.name, value=unit_aesthetic(mean), note=note),
        ]


def _missing(reason: str) -> list[Measurement]:
    return [Measurement(name=spec.name, value=None, reason=reason) for spec in AestheticScore.SPECS]
