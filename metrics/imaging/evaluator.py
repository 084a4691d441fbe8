"""VBench's imaging quality of a video."""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from pydantic import Field
from typing_extensions import override

from ipvg_eval.core.measurement import ClipInfo, Frames, FrameValues, Measurement
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.batches import Batches
from ipvg_eval.metrics.evaluator import NO_FRAME_DECODED, EvaluatorOptions, Pass
from ipvg_eval.metrics.frame_evaluator import FrameEvaluator, FrameRows
from ipvg_eval.metrics.imaging.musiq import MusiqScorer, frames_per_forward
from ipvg_eval.metrics.imaging.resize import Mode
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.target import Target
from ipvg_eval.metrics.weights.table import weights_of

SPEC = MetricSpec(
    name="imaging_quality",
    version=1,
    higher_is_better=True,
    bounds=(None, None),
    title="Imaging quality",
    summary="Mean over frames of MUSIQ (SPAQ) / 100, about 0 to 1, for the clip and per frame. VBench "
    "lists a single video as 100 times this number and a set of videos as this number.",
    caveats="Trained on phone photographs: favours crisp, bright pictures and is blind to wrong "
    "content. Sides over 512 pixels are scaled down first.",
    source="VBench @45e79ec (vbench 0.1.5) vbench/imaging_quality.py; pyiqa 0.1.16; MUSIQ, arXiv 2108.05997",
    weights=weights_of("imaging_quality"),
    licence="pyiqa and its weights: PolyForm Noncommercial 1.0.0, non-commercial use only",
)


class ImagingQualityOptions(EvaluatorOptions):
    """The published rule, and what may be changed of it.

    Attributes:
        resize: which side is brought to 512 where it is longer: "longer" (the published default since April
            2024), "shorter", "shorter_centercrop", or "None".
        max_frames: score at most this many evenly spread frames, and say so in a note; None scores all.
    """

    resize: Mode = "longer"
    max_frames: int | None = Field(default=None, ge=1)


class ImagingQuality(FrameEvaluator[torch.Tensor, ImagingQualityOptions]):
    """Judges every frame by itself with MUSIQ.

    Batches hold frames of one video alone: all of its frames are looked at, which fills a device, and on a
    CPU the last digit of a score depends on the frame's place in the batch.

    Attributes:
        scorer: the network.
    """

    Options = ImagingQualityOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = (SPEC,)
    BUDGET: ClassVar[str] = "max_frames"

    def __init__(self, options: ImagingQualityOptions, runtime: Runtime) -> None:
        super().__init__(options, runtime)
        self.scorer = MusiqScorer(runtime)
        self._batches = Batches(
            lambda inputs: self.scorer.score(torch.cat(inputs)) / 100.0,
            lambda inputs: frames_per_forward(inputs, self.scorer.batch_size),
        )

    @override
    def start(self, target: Target, clip: ClipInfo) -> Pass:
        """Begin a video; references and prompt play no part."""
        return self._look(clip, lambda frames: [_imaging_quality(frames, clip.frame_count)])

    def prepare(self, frame: Frames) -> torch.Tensor:
        """MUSIQ's input, (1, 3, height, width)."""
        return self.scorer.prepare(frame[None], self._options.resize)


def _imaging_quality(frames: FrameRows, frame_count: int) -> Measurement:
    """The mean over the frames that came; none where none came."""
    scores = dict(zip(frames.indices, frames.rows.ravel().tolist(), strict=True))
    usable = {index: score for index, score in scores.items() if math.isfinite(score)}
    if not usable:
        why = "no score is a number" if scores else NO_FRAME_DECODED
        return Measurement(name=SPEC.name, value=None, reason=why)
    wanted, notes = tuple(frames.repeats), []
    if len(wanted) < frame_count:
        notes.append(f"reduced frame budget: {len(wanted)} of {frame_count} frames")
    left_out = {
        "they could not be decoded": len(wanted) - len(scores),
        "their score is not a number": len(scores) - len(usable),
    }
    notes += [f"{n} of {len(wanted)} frames left out: {why}" for why, n in left_out.items() if n]
    return Measurement(
        name=SPEC.name,
        value=math.fsum(usable.values()) / len(usable),
        note="; ".join(notes) or None,
        per_frame=FrameValues(indices=wanted, values=tuple(usable.get(index) for index in wanted)),
    )
