"""VBench's imaging quality of a video."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import torch
from pydantic import BaseModel, ConfigDict, Field

from ipvg_eval.core.measurement import ClipInfo, Frames, FrameValues, Measurement
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.imaging.musiq import WEIGHTS, MusiqScorer, frames_per_forward
from ipvg_eval.metrics.imaging.resize import Mode
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.sampling import linspace_indices
from ipvg_eval.metrics.target import Target

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
    weights=(WEIGHTS,),
    licence="pyiqa and its weights: PolyForm Noncommercial 1.0.0, non-commercial use only",
)


class ImagingQualityOptions(BaseModel):
    """The published rule, and what may be changed of it.

    Attributes:
        resize: which side is brought to 512 where it is longer: "longer" (the published default since April
            2024), "shorter", "shorter_centercrop", or "None".
        max_frames: score at most this many evenly spread frames, and say so in a note; None scores all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    resize: Mode = "longer"
    max_frames: int | None = Field(default=None, ge=1)


class ImagingQuality:
    """Judges every frame by itself with MUSIQ.

    Attributes:
        specs: imaging_quality.
        weights: sha256 of MUSIQ.
        scorer: the network.
    """

    Options: ClassVar[type[ImagingQualityOptions]] = ImagingQualityOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = (SPEC,)
    BUDGET: ClassVar[str] = "max_frames"

    def __init__(self, options: ImagingQualityOptions, runtime: Runtime) -> None:
        """Load the network.

        Raises:
            WeightsMissing: pyiqa or the checkpoint is not on this machine.
        """
        self.specs = self.SPECS
        self.scorer = MusiqScorer(runtime)
        self.weights = self.scorer.weights
        self._options = options

    @classmethod
    def specs_for(cls, options: ImagingQualityOptions) -> tuple[MetricSpec, ...]:  # noqa: ARG003
        """All of them, whatever the options."""
        return cls.SPECS

    @staticmethod
    def required_weights(options: ImagingQualityOptions) -> tuple[str, ...]:  # noqa: ARG004
        """MUSIQ, whatever the options."""
        return (WEIGHTS,)

    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """Every frame, or as many evenly spread ones as the budget allows."""
        if self._options.max_frames is None:
            return range(clip.frame_count)
        return linspace_indices(clip.frame_count, self._options.max_frames)

    def start(self, target: Target, clip: ClipInfo) -> ImagingPass:  # noqa: ARG002
        """Begin a video; references and prompt play no part."""
        return ImagingPass(self._options, self.scorer, tuple(self.frames(clip)), clip)


class ImagingPass:
    """One video. Frames are shrunk as they come and wait in that form for a full batch.

    Batches hold frames of this video alone: all of its frames are looked at, which fills a device, and on a
    CPU the last digit of a score depends on the frame's place in the batch.
    """

    def __init__(
        self,
        options: ImagingQualityOptions,
        scorer: MusiqScorer,
        wanted: tuple[int, ...],
        clip: ClipInfo,
    ) -> None:
        self._options = options
        self._scorer = scorer
        self._wanted = wanted
        self._clip = clip
        self._waiting: list[tuple[int, torch.Tensor]] = []
        self._scores: dict[int, float] = {}

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        """Take the next frames; batch borders depend on the order of frames alone."""
        for index, frame in zip(indices, frames, strict=True):
            prepared = self._scorer.prepare(frame[None], self._options.resize)
            if self._waiting and self._waiting[0][1].shape != prepared.shape:
                self._flush()
            self._waiting.append((index, prepared))
            if len(self._waiting) == frames_per_forward(prepared, self._scorer.batch_size):
                self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        indices, inputs = zip(*self._waiting, strict=True)
        self._waiting = []
        scores = self._scorer.score(torch.cat(inputs))
        self._scores.update(zip(indices, (float(score) / 100.0 for score in scores), strict=True))

    def finish(self) -> list[Measurement]:
        """The mean over the frames that came; none where none came."""
        self._flush()
        usable = {index: score for index, score in self._scores.items() if math.isfinite(score)}
        if not usable:
            why = "no score is a number" if self._scores else "no frame could be decoded"
            return [Measurement(name=SPEC.name, value=None, reason=why)]
        return [
            Measurement(
                name=SPEC.name,
                value=math.fsum(usable.values()) / len(usable),
                note=self._note(len(usable)),
                per_frame=FrameValues(
                    indices=self._wanted, values=tuple(usable.get(index) for index in self._wanted)
                ),
            )
        ]

    def _note(self, scored: int) -> str | None:
        wanted, notes = len(self._wanted), []
        if wanted < self._clip.frame_count:
            notes.append(f"reduced frame budget: {wanted} of {self._clip.frame_count} frames")
        missing = wanted - len(self._scores)
        if missing:
            notes.append(f"{missing} of {wanted} frames left out: they could not be decoded")
        if scored < len(self._scores):
            notes.append(
                f"{len(self._scores) - scored} of {wanted} frames left out: their score is not a number"
            )
        return "; ".join(notes) or None
