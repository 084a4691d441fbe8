"""Does a video keep to its reference pictures, whatever they show? From whole frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from metrics.batches import FixedBatches
from metrics.evaluator import ClipInfo, FrameFeatures, Frames, FrameValues, Measurement, Pass
from metrics.images import read_rgb
from metrics.runtime import Runtime
from metrics.sampling import linspace_indices
from metrics.spec import MetricSpec
from metrics.subject.consistency import frame_consistency, reference_similarities
from metrics.subject.dino import WEIGHTS, DinoEncoder, dino_pixels
from metrics.target import Target

_REFERENCES_KEPT = 64
_WHOLE_FRAME = "no detector: the whole frame is the crop"
_NO_FRAME = "no frame could be read"

SUBJECT_SIMILARITY = MetricSpec(
    name="subject_similarity",
    version=1,
    higher_is_better=True,
    bounds=(-1.0, 1.0),
    title="Similarity to the references (DINOv2)",
    summary="Mean over references and frames of the cosine between DINOv2 embeddings.",
    caveats="Without a detector whole frames are compared with whole pictures: background, framing and "
    "other subjects count as much as the subject. Two references of different things lower each other.",
    source="DINO-I of DreamBench++ (arXiv 2406.16855) with DINOv2 ViT-B/14 on whole frames",
    weights=(WEIGHTS,),
    licence="DINOv2 weights: Apache-2.0 (Meta)",
)
SUBJECT_CONSISTENCY = MetricSpec(
    name="subject_consistency",
    version=1,
    higher_is_better=True,
    bounds=(0.0, 1.0),
    title="Subject consistency (DINOv2)",
    summary="Mean over frames of the cosines with the frame before and with the first one, at least 0.",
    caveats="A frozen video has the best value, and a change of scene lowers it. VBench uses DINO ViT-B/16 "
    "and every frame; these numbers do not compare with its table.",
    source="VBench subject_consistency (vbench 0.1.5) with DINOv2 ViT-B/14 on sampled frames",
    weights=(WEIGHTS,),
    licence="DINOv2 weights: Apache-2.0 (Meta)",
)


class SubjectOptions(BaseModel):
    """Rules of the subject metrics.

    Attributes:
        frame_count: evenly spaced frames that are looked at, both ends included.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    frame_count: int = Field(default=16, ge=2)


class WholeFrameSubject:
    """Measures `subject_similarity` and `subject_consistency` on whole frames.

    Attributes:
        specs: both.
        weights: sha256 of DINOv2's weight file.
    """

    Options = SubjectOptions
    SPECS: ClassVar[tuple[MetricSpec, ...]] = (SUBJECT_SIMILARITY, SUBJECT_CONSISTENCY)
    BUDGET: ClassVar[str] = "frame_count"

    specs: tuple[MetricSpec, ...]
    weights: Mapping[str, str]

    def __init__(self, options: SubjectOptions, runtime: Runtime) -> None:
        self.specs = self.SPECS
        self._options = options
        self._encoder = DinoEncoder(runtime)
        self._batch_size = runtime.batch_size
        self._reference = lru_cache(maxsize=_REFERENCES_KEPT)(self._encode_reference)
        self.weights = self._encoder.weights

    @classmethod
    def specs_for(cls, options: SubjectOptions) -> tuple[MetricSpec, ...]:  # noqa: ARG003
        """Both, whatever the options."""
        return cls.SPECS

    @staticmethod
    def required_weights(options: SubjectOptions) -> tuple[str, ...]:  # noqa: ARG004
        """DINOv2."""
        return (WEIGHTS,)

    def frames(self, clip: ClipInfo) -> Sequence[int]:
        """Evenly spaced frames."""
        return linspace_indices(clip.frame_count, self._options.frame_count)

    def start(self, target: Target, clip: ClipInfo) -> Pass:
        """Begin one video; videos that share a reference share its embedding.

        Raises:
            UnreadableImage: a reference picture cannot be decoded.
        """
        references = np.stack([self._reference(reference.path) for reference in target.references])
        labels = [
            reference.label or f"reference {k}" for k, reference in enumerate(target.references, start=1)
        ]
        return _SubjectPass(
            references=references,
            labels=labels,
            wanted=len(self.frames(clip)),
            batches=FixedBatches(self._encoder.images, self._batch_size),
        )

    def _encode_reference(self, path: Path) -> npt.NDArray[np.float32]:
        row: npt.NDArray[np.float32] = self._encoder.images([dino_pixels(read_rgb(path))])[0]
        return row


class _SubjectPass:
    """The measuring of one video; holds one embedding per frame."""

    def __init__(
        self,
        *,
        references: npt.NDArray[np.float32],
        labels: Sequence[str],
        wanted: int,
        batches: FixedBatches[npt.NDArray[np.float32]],
    ) -> None:
        self._references = references
        self._labels = labels
        self._wanted = wanted
        self._batches = batches

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        """Take the next wanted frames; see `metrics.evaluator.Pass`."""
        for index, frame in zip(indices, frames, strict=True):
            self._batches.add(index, dino_pixels(frame))

    def finish(self) -> list[Measurement]:
        """Similarity and consistency."""
        indices, rows = self._batches.finish()
        if indices and not np.isfinite(rows).all():
            return [
                Measurement(name=spec.name, value=None, reason="the network's output is not finite")
                for spec in WholeFrameSubject.SPECS
            ]
        notes = [_WHOLE_FRAME]
        if len(indices) < self._wanted:
            notes.append(f"{len(indices)} of {self._wanted} frames could be read")
        return [self._similarity(indices, rows, notes), _consistency(indices, rows, notes)]

    def _similarity(
        self, indices: tuple[int, ...], rows: npt.NDArray[np.float32], notes: Sequence[str]
    ) -> Measurement:
        if not indices:
            return Measurement(name=SUBJECT_SIMILARITY.name, value=None, reason=_NO_FRAME)
        table = reference_similarities(rows, self._references)
        each = [f"{label} {mean:.3f}" for label, mean in zip(self._labels, table.mean(axis=0), strict=True)]
        return Measurement(
            name=SUBJECT_SIMILARITY.name,
            value=float(table.mean()),
            note="; ".join([*notes, *([", ".join(each)] if len(each) > 1 else [])]),
            per_frame=FrameValues(indices=indices, values=tuple(float(v) for v in table.mean(axis=1))),
            features=FrameFeatures(indices=indices, rows=rows),
        )


def _consistency(
    indices: tuple[int, ...], rows: npt.NDArray[np.float32], notes: Sequence[str]
) -> Measurement:
    if len(indices) < 2:
        reason = "fewer than 2 frames could be read" if indices else _NO_FRAME
        return Measurement(name=SUBJECT_CONSISTENCY.name, value=None, reason=reason)
    values = frame_consistency(rows)
    return Measurement(
        name=SUBJECT_CONSISTENCY.name,
        value=float(values.mean()),
        note="; ".join(notes),
        per_frame=FrameValues(indices=indices, values=(None, *(float(v) for v in values))),
    )
