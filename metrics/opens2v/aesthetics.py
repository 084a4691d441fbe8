"""OpenS2V-Eval's aesthetic score of a video."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from ipvg_eval.core.measurement import Frames, Measurement
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.batches import Batches, Rows
from ipvg_eval.metrics.clip.encoder import ClipEncoder
from ipvg_eval.metrics.clip.preprocess import clip_pixels
from ipvg_eval.metrics.evaluator import EvaluatorOptions
from ipvg_eval.metrics.frame_evaluator import FrameEvaluator, FrameRows
from ipvg_eval.metrics.opens2v.aesthetic_head import AestheticHead
from ipvg_eval.metrics.opens2v.normalisation import unit_aesthetic
from ipvg_eval.metrics.opens2v.spec import AESTHETIC, AESTHETIC_UNIT, CLIP_WEIGHTS
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.sampling import Sampling


class AestheticOptions(EvaluatorOptions):
    """The published rule, and what may be changed of it.

    Attributes:
        frame_count: floor(linspace(0, N - 1, frame_count)) are looked at; a frame that is named more than
            once counts as often.
    """

    frame_count: int = Field(default=32, ge=1)


class AestheticScore(FrameEvaluator[npt.NDArray[np.uint8], AestheticOptions]):
    """Judges every frame by itself, with CLIP ViT-L/14 and a small network on its embedding.

    Measures aesthetic_score and the same on the scale from 0 to 1.
    """

    Options = AestheticOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = (AESTHETIC, AESTHETIC_UNIT)
    BUDGET: ClassVar[str] = "frame_count"
    SAMPLING: ClassVar[Sampling] = "linspace_repeat"

    def __init__(self, options: AestheticOptions, runtime: Runtime) -> None:
        super().__init__(options, runtime)
        self._head = AestheticHead(runtime)
        encoder = ClipEncoder.load(CLIP_WEIGHTS, runtime)
        self._batches = Batches(encoder.images, runtime.batch_size, crossing=runtime.crossing)

    def prepare(self, frame: Frames) -> npt.NDArray[np.uint8]:
        """CLIP's pixels."""
        return clip_pixels(frame)

    def values(self, rows: Rows) -> list[float]:
        """The head's marks of CLIP's embeddings."""
        return [float(mark) for mark in self._head.marks(rows)] if len(rows) else []

    def measure(self, frames: FrameRows) -> list[Measurement]:
        """The mean mark of the frames that came, as it is and between 0 and 1."""
        mark, unit = super().measure(frames)
        if unit.value is not None:
            unit = replace(unit, value=unit_aesthetic(unit.value), per_frame=None)
        return [mark, unit]
