"""The frames of one video under the published face metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ipvg_eval.core.measurement import Box, FrameFeatures, Frames, Measurement
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.batches import Batches, Ticket
from ipvg_eval.metrics.evaluator import NO_FRAME, NOT_FINITE
from ipvg_eval.metrics.faces import arcface, curricularface, face_similarity_scores, face_similarity_specs
from ipvg_eval.metrics.faces.detection import FaceDetector
from ipvg_eval.metrics.faces.face_crops import Retry, face_crops
from ipvg_eval.metrics.faces.face_similarity_scores import Compared, ScoreRules, similarities
from ipvg_eval.metrics.faces.inception import FID_WEIGHTS, IMAGENET_WEIGHTS

Rows = npt.NDArray[np.float32]
Encoder = Callable[[Frames], Rows]


@dataclass(frozen=True, kw_only=True, eq=False)
class ReferenceFace:
    """The reference's side of every comparison.

    Attributes:
        rows: one vector per network, by weight name; None where there is no face.
        reason: why there is none; None exactly where there are rows.
    """

    rows: Mapping[str, Rows] | None
    reason: str | None


class FacePass:
    """Crops faces as frames arrive; full batches of crops go through the networks.

    Batch borders depend on the order of the faces alone, so frames may come in any grouping.
    """

    def __init__(
        self,
        *,
        specs: Sequence[MetricSpec],
        rules: ScoreRules,
        retry: Retry,
        detector: FaceDetector,
        tickets: Mapping[str, Ticket[Frames]],
        reference: ReferenceFace,
    ) -> None:
        self._specs = specs
        self._rules = rules
        self._retry = retry
        self._detector = detector
        self._reference = reference
        self._looked_at: list[int] = []
        self._boxes: dict[int, Box] = {}
        self._tickets = tickets

    def add(self, indices: Sequence[int], frames: Frames) -> None:
        """Find and crop the faces of the next frames."""
        for index, frame in zip(indices, frames, strict=True):
            self._looked_at.append(index)
            crops = face_crops(self._detector, frame, retry=self._retry)
            if crops is not None:
                self._boxes[index] = crops.box
                for name, ticket in self._tickets.items():
                    ticket.add(index, crops.of(name))

    def finish(self) -> list[Measurement]:
        """One measurement per spec."""
        features = {name: self._features(name, ticket) for name, ticket in self._tickets.items()}
        return [self._measure(spec, features) for spec in self._specs]

    def _features(self, name: str, ticket: Ticket[Frames]) -> FrameFeatures:
        indices, rows = ticket.finish()
        reference = None if self._reference.rows is None else self._reference.rows[name]
        return FrameFeatures(indices=indices, rows=rows, reference=reference)

    def _measure(self, spec: MetricSpec, features: Mapping[str, FrameFeatures]) -> Measurement:
        looked_at = tuple(self._looked_at)
        if not looked_at:
            return Measurement(name=spec.name, value=None, reason=NO_FRAME)
        if spec.name == face_similarity_specs.FACE_COVERAGE.name:
            with_face = frozenset(features[arcface.WEIGHTS].indices)
            return self._with_boxes(face_similarity_scores.coverage(looked_at, with_face, self._rules))
        if spec.name == face_similarity_specs.FACE_FID_SAMPLES.name:
            return self._fid_samples(spec.name, features[FID_WEIGHTS])
        return self._score(spec, features[_network(spec)])

    def _with_boxes(self, found: Measurement) -> Measurement:
        if found.per_frame is None or not self._boxes:
            return found
        boxes = tuple(self._boxes.get(index) for index in found.per_frame.indices)
        return replace(found, per_frame=replace(found.per_frame, boxes=boxes))

    def _fid_samples(self, name: str, kept: FrameFeatures) -> Measurement:
        if not np.isfinite(kept.rows).all():
            return Measurement(name=name, value=None, reason=NOT_FINITE)
        note = self._rules.note(tuple(self._looked_at))
        return Measurement(name=name, value=float(len(kept.indices)), note=note, features=kept)

    def _score(self, spec: MetricSpec, kept: FrameFeatures) -> Measurement:
        worth_keeping = kept if face_similarity_specs.keeps_features(spec.name) else None
        if kept.reference is None:
            reason = self._reference.reason
            return Measurement(name=spec.name, value=None, reason=reason, features=worth_keeping)
        if not (np.isfinite(kept.rows).all() and np.isfinite(kept.reference).all()):
            return Measurement(name=spec.name, value=None, reason=NOT_FINITE)
        compare = face_similarity_scores.distances if _network(spec) == IMAGENET_WEIGHTS else similarities
        compared = Compared(looked_at=tuple(self._looked_at), values=compare(kept), features=worth_keeping)
        return face_similarity_scores.score(spec.name, compared, self._rules)


def _network(spec: MetricSpec) -> str:
    """The network that a score compares faces by."""
    networks = (curricularface.WEIGHTS, arcface.WEIGHTS, IMAGENET_WEIGHTS)
    return next(network for network in networks if network in spec.weights)


def crop_batches(encode: Encoder, size: int, *, crossing: bool = False) -> Batches[Frames]:
    """The faces of any number of videos on their way through one network; see `Batches`.

    Args:
        encode: (n, side, side, 3) uint8 to (n, d).
        size: faces per forward pass.
        crossing: whether a forward pass may hold faces of several videos.
    """
    return Batches(lambda crops: encode(np.stack(crops)), size, crossing=crossing)
